import { expect, it } from "vitest";

import { pictureProblem } from "../../src/explore/picture_file";

it("a picture that is empty or too large is not sent", () => {
  expect(pictureProblem({ name: "foto.png", size: 0 }, 2 ** 24)?.code).toBe("picture_empty");
  expect(pictureProblem({ name: "foto.png", size: 2 ** 24 + 1 }, 2 ** 24)).toMatchObject({
    code: "picture_upload_too_large",
    values: { name: "foto.png", limit: 16 },
  });
  expect(pictureProblem({ name: "foto.png", size: 2 ** 24 }, 2 ** 24)).toBeNull();
});
