"""The built front end: index.html and what belongs to it.

The page itself handles the addresses of rooms and views, so every path that is not a file is
answered with index.html. Files below assets/ have a digest of their content in their name and
never change.
"""

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from vitral.errors import VitralError

STATIC = Path(__file__).parent / "static"


class Page(StaticFiles):
    """Serves the front end from `folder`; raises VitralError("page_not_built") if it is missing."""

    def __init__(self, folder: Path = STATIC) -> None:
        super().__init__(directory=folder, check_dir=False)
        self.index = folder / "index.html"

    async def check_config(self) -> None:
        """A missing folder is reported as a missing page."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404 or path.startswith("assets/"):
                raise
            if not self.index.is_file():
                raise VitralError("page_not_built") from error
            response = FileResponse(self.index)
        unchanging = path.startswith("assets/")
        response.headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if unchanging else "no-cache"
        )
        return response
