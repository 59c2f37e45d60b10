/**
 * Something that is pressed can be gone by what it did: a filter that is taken off, a key that is revoked, a page that
 * is left, a button that is switched off. The browser then puts the focus onto the document, and a person with a
 * keyboard begins anew at its top. Here it goes to the nearest thing around that is still there and can take it, and to
 * the page otherwise.
 */
export function keepFocusNear(): void {
  /** Where the focus was, from the element outwards. */
  let path: HTMLElement[] = [];
  const isHere = (element: HTMLElement) =>
    element.isConnected && element.checkVisibility({ visibilityProperty: true }) && !element.matches(':disabled');
  const bringBack = () => {
    const [was] = path;
    if (was === undefined || document.activeElement !== document.body || isHere(was)) return;
    const near = path.find((element) => element.matches('[tabindex]') && isHere(element));
    (near ?? document.getElementById('main'))?.focus({ preventScroll: true });
  };
  document.addEventListener('focusin', ({ target }) => {
    path = [];
    for (let element = target as HTMLElement | null; element !== null; element = element.parentElement)
      path.push(element);
  });
  document.addEventListener('focusout', ({ target, relatedTarget }) => {
    if (relatedTarget !== null) return;
    setTimeout(() => {
      // Left by a click beside everything, and not because it was taken away: then nothing is to be brought back.
      if (isHere(target as HTMLElement) && document.activeElement === document.body) path = [];
      else bringBack();
    });
  });
  let isDue = false;
  new MutationObserver(() => {
    if (isDue || path.length === 0 || document.activeElement !== document.body) return;
    isDue = true;
    // The focus may be on its way to the next stop just now.
    setTimeout(() => {
      isDue = false;
      bringBack();
    });
  }).observe(document.body, { childList: true, subtree: true });
}
