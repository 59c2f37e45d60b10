import type { ReactNode, RefObject } from 'react';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'react';

/**
 * A button with something that opens under it. Escape and a click elsewhere close it, the focus goes back to the
 * button, and on a narrow screen it becomes a sheet at the bottom (styles/controls.css).
 */
export function Popover({
  button,
  label,
  children,
  align = 'start',
  width,
  open,
  onOpenChange,
  className = '',
}: {
  button: (props: {
    'aria-haspopup': 'dialog';
    'aria-expanded': boolean;
    'aria-controls': string | undefined;
    onClick: () => void;
    ref: RefObject<HTMLButtonElement | null>;
  }) => ReactNode;
  /** What a screen reader calls the opened part. */
  label: string;
  children: (close: () => void) => ReactNode;
  align?: 'start' | 'end';
  width?: number;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  className?: string;
}) {
  const anchor = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const id = useId();
  const [shift, setShift] = useState(0);

  useEffect(() => {
    if (!open) return;
    const outside = (event: PointerEvent) => {
      const target = event.target as Node;
      if (panel.current?.contains(target) || anchor.current?.contains(target)) return;
      onOpenChange(false);
    };
    // Inside, the panel answers Escape itself; this is for a focus that never got in or was lost.
    const onEscape = (event: globalThis.KeyboardEvent) => {
      if (event.key === 'Escape') onOpenChange(false);
    };
    document.addEventListener('pointerdown', outside);
    document.addEventListener('keydown', onEscape);
    return () => {
      document.removeEventListener('pointerdown', outside);
      document.removeEventListener('keydown', onEscape);
    };
  }, [open, onOpenChange]);

  // The first thing that can be used takes the focus, and the panel is moved back inside the window where it would leave it.
  useLayoutEffect(() => {
    if (!open || panel.current === null) return;
    setShift(0);
    const box = panel.current.getBoundingClientRect();
    const over = box.right - (document.documentElement.clientWidth - 8);
    if (over > 0) setShift(-over);
    else if (box.left < 8) setShift(8 - box.left);
    const usable = [
      ...panel.current.querySelectorAll<HTMLElement>('input, select, button, a[href], summary, [tabindex="0"]'),
    ].find((element) => element.checkVisibility());
    const first = panel.current.querySelector<HTMLElement>('[data-autofocus]') ?? usable ?? panel.current;
    first.focus({ preventScroll: true });
  }, [open]);

  const close = () => {
    onOpenChange(false);
    anchor.current?.focus();
  };

  return (
    <span className={`pop-anchor ${className}`}>
      {button({
        'aria-haspopup': 'dialog',
        'aria-expanded': open,
        'aria-controls': open ? id : undefined,
        onClick: () => onOpenChange(!open),
        ref: anchor,
      })}
      {open && (
        <>
          <div className="pop-shade" />
          <div
            ref={panel}
            id={id}
            role="dialog"
            aria-label={label}
            tabIndex={-1}
            className={`pop ${align === 'end' ? 'end' : ''}`}
            style={{ ...(width === undefined ? {} : { width }), ...(shift === 0 ? {} : { translate: `${shift}px 0` }) }}
            onKeyDown={(event) => {
              if (event.key !== 'Escape') return;
              event.stopPropagation();
              close();
            }}
            onBlur={(event) => {
              // Tabbing out of the end closes it; a click on something that cannot take focus does not.
              if (
                event.relatedTarget !== null &&
                !event.currentTarget.contains(event.relatedTarget) &&
                event.relatedTarget !== anchor.current
              )
                onOpenChange(false);
            }}
          >
            {children(close)}
          </div>
        </>
      )}
    </span>
  );
}
