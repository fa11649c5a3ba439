"""Moving a long text's map in the page, frame by frame, and timing each of them.

`PAN` moves the pointer a little in every frame and gives for each the milliseconds that the page
worked in it (its answer to the pointer, and what it drew) and the time from one frame to the next.
`REST` gives the times between frames of a page that does nothing.
"""

PAN = """async frames => {
    const map = document.querySelector("[data-level]"), box = map.getBoundingClientRect();
    map.setPointerCapture = () => {};  // there is no pointer behind these events
    const work = new Map(), ask = window.requestAnimationFrame.bind(window);
    const add = (frame, began) =>
        work.set(frame, (work.get(frame) ?? 0) + performance.now() - began);
    window.requestAnimationFrame = draw => ask(frame => {
        const began = performance.now();
        draw(frame);
        add(frame, began);
    });
    const fire = (type, x, y, buttons) => map.dispatchEvent(new PointerEvent(type, {
        pointerId: 1, bubbles: true, buttons, clientX: box.x + x, clientY: box.y + y }));
    let [x, y] = [box.width / 2, box.height / 2];
    fire("pointerdown", x, y, 1);
    const times = [];
    for (let step = 0; step < frames; step += 1) {
        await new Promise(done => ask(frame => {
            times.push(frame);
            const turn = 2 * Math.PI * step / frames;
            [x, y] = [x + 9 * Math.cos(turn), y + 9 * Math.sin(turn)];
            const began = performance.now();
            fire("pointermove", x, y, 1);
            // The page's own answer to the event is a microtask, queued before this one.
            queueMicrotask(() => { add(frame, began); done(); });
        }));
    }
    fire("pointercancel", x, y, 0);
    window.requestAnimationFrame = ask;
    return { work: [...work.values()], gaps: times.slice(1).map((t, i) => t - times[i]) };
}"""

REST = """async frames => {
    const times = [];
    for (let step = 0; step < frames; step += 1) {
        times.push(await new Promise(requestAnimationFrame));
    }
    return times.slice(1).map((t, i) => t - times[i]);
}"""
