/** As a ref: what comes takes the focus, since it stands in for what was pressed and is gone. */
export const takeFocus = (element: HTMLElement | null) => element?.focus({ preventScroll: true });
