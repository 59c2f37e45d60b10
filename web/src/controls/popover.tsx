import type { KeyboardEvent, ReactNode, RefObject } from 'react';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'react';

/** What opens keeps this distance to the window's edge, in pixels, and leaves the bar at its top free. */
const edge = 8;
const barPx = 52;

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
  const [shift, setShift] = useState({ x: 0, y: 0 });

  useEffect(() => {
    if (!open) return;
    const outside = (event: PointerEvent) => {
      const target = event.target as Node;
      if (panel.current?.contains(target) || anchor.current?.contains(target)) return;
      onOpenChange(false);
    };
    // Inside, the panel answers Escape itself; this is for a focus that never got in or was lost.
    const onEscape = (event: globalThis.KeyboardEvent) => {
      if (event.key !== 'Escape') return;
      onOpenChange(false);
      anchor.current?.focus();
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
    const box = panel.current.getBoundingClientRect();
    const { clientWidth, clientHeight } = document.documentElement;
    // Where it would stand without what it was moved by.
    const [left, top] = [box.left - shift.x, box.top - shift.y];
    const right = left + box.width - (clientWidth - edge);
    const below = top + box.height - (clientHeight - edge);
    setShift({
      x: right > 0 ? -right : left < edge ? edge - left : 0,
      // Never over the bar, and an anchor that is out of the window keeps what it opened.
      y: below > 0 && top < clientHeight ? -Math.min(below, Math.max(0, top - barPx - edge)) : 0,
    });
    const usable = [
      ...panel.current.querySelectorAll<HTMLElement>('input, select, button, a[href], summary, [tabindex="0"]'),
    ].find((element) => element.checkVisibility() && !element.matches(':disabled'));
    const first = panel.current.querySelector<HTMLElement>('[data-autofocus]') ?? usable ?? panel.current;
    first.focus({ preventScroll: true });
  }, [open, width]);

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
            style={{
              ...(width === undefined ? {} : { width }),
              ...(shift.x === 0 && shift.y === 0 ? {} : { translate: `${shift.x}px ${shift.y}px` }),
            }}
            onKeyDown={(event) => {
              if (event.key === 'Escape') {
                event.stopPropagation();
                close();
              } else if (moveAmongChoices(event.currentTarget, event)) event.preventDefault();
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

/**
 * The keyboard of a list of choices, as menus have it: arrows go round, Home and End to its ends, a letter or digit to
 * the next that begins with it. Tab goes through them as well.
 * @returns whether the key was one of these and the focus went to a choice
 */
function moveAmongChoices(panel: HTMLElement, { key, target, altKey, ctrlKey, metaKey }: KeyboardEvent): boolean {
  const choices = [...panel.querySelectorAll<HTMLElement>('.choices :is(button, a[href]):not(:disabled)')];
  const at = choices.indexOf(target as HTMLElement);
  if (at === -1 || altKey || ctrlKey || metaKey) return false;
  const { length } = choices;
  const to = { ArrowDown: at + 1, ArrowUp: at - 1 + length, Home: 0, End: length - 1 }[key];
  const next =
    to !== undefined
      ? choices[to % length]
      : /^[\p{L}\p{N}]$/u.test(key)
        ? [...choices.slice(at + 1), ...choices.slice(0, at + 1)].find((one) =>
            one.textContent?.trim().toLowerCase().startsWith(key.toLowerCase()),
          )
        : undefined;
  next?.focus();
  return next !== undefined;
}
