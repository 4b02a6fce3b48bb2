// Gives the focus to an element that is not visible yet: a virtual list shows a row only after it was measured.

const MAX_FRAMES = 20

/** Tries once a frame until the element has it. Returns the end of trying. */
export function focusWhenVisible(element: HTMLElement): () => void {
  let frames = 0
  let request = requestAnimationFrame(attempt)
  function attempt(): void {
    element.focus({ preventScroll: true })
    frames += 1
    if (document.activeElement !== element && frames < MAX_FRAMES) request = requestAnimationFrame(attempt)
  }
  return () => cancelAnimationFrame(request)
}
