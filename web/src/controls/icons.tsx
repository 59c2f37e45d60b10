/** Our own icons: 16 px, 1.5 px stroke, always beside a word except where the button carries a label (ui.md §2). */
const paths = {
  relay: 'M2.500 5.500h8.500M8.500 3 11 5.500 8.500 8M13.500 10.500H5M7.500 8 5 10.500 7.500 13',
  pause: 'M5.500 3.500v9M10.500 3.500v9',
  play: 'M5 3.200 12.500 8 5 12.800Z',
  shield: 'M8 1.75 13.25 3.5v4c0 3.3-2.2 5.7-5.25 6.75C4.95 13.2 2.75 10.8 2.75 7.5v-4z',
  analytics: 'M2.5 13.5h11M4 11V8M8 11V3.5M12 11V6',
  search: 'M11.5 7a4.5 4.5 0 1 1-9 0 4.5 4.5 0 0 1 9 0ZM10.5 10.5 14 14',
  settings:
    'M2 4.5h6M12 4.5h2M2 11.5h2M8 11.5h6M11.8 4.5a1.8 1.8 0 1 1-3.6 0 1.8 1.8 0 0 1 3.6 0ZM7.8 11.5a1.8 1.8 0 1 1-3.6 0 1.8 1.8 0 0 1 3.6 0Z',
  updown: 'm5 6 3-3 3 3M5 10l3 3 3-3',
  down: 'm4 6 4 4 4-4',
  up: 'm4 10 4-4 4 4',
  left: 'm10 4-4 4 4 4',
  right: 'm6 4 4 4-4 4',
  calendar:
    'M3.5 3h9A1.5 1.5 0 0 1 14 4.500v8a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 2 12.500v-8A1.5 1.5 0 0 1 3.500 3ZM2 6.500h12M5 1.500V4M11 1.500V4',
  close: 'm4 4 8 8M12 4l-8 8',
  alert: 'M8 2.500 14.500 13.500H1.500ZM8 6.500v3M8 11.500v.1',
  plus: 'M8 3v10M3 8h10',
  why: 'M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0ZM6.300 6.300a1.800 1.800 0 1 1 2.500 1.900c-.5.2-.8.6-.8 1.100M8 11.300v.1',
  menu: 'M2 4.500h12M2 8h12M2 11.500h12',
  copy: 'M6.500 5h6A1.500 1.500 0 0 1 14 6.500v6a1.500 1.500 0 0 1-1.500 1.500h-6A1.500 1.500 0 0 1 5 12.500v-6A1.500 1.500 0 0 1 6.500 5ZM11 5V3.500A1.500 1.500 0 0 0 9.500 2h-6A1.500 1.500 0 0 0 2 3.500v6A1.500 1.500 0 0 0 3.500 11H5',
  eye: 'M1.500 8S4 3.500 8 3.500 14.500 8 14.500 8 12 12.500 8 12.500 1.500 8 1.500 8ZM10 8a2 2 0 1 1-4 0 2 2 0 0 1 4 0Z',
  eyeOff:
    'M6.400 3.800A6 6 0 0 1 8 3.500C12 3.500 14.500 8 14.500 8a11 11 0 0 1-1.900 2.400M10 12.100a6 6 0 0 1-2 .4C4 12.500 1.500 8 1.500 8a11 11 0 0 1 2.600-2.900M2.500 2.500l11 11',
  check: 'm3 8.500 3.200 3.200L13 5',
  table:
    'M3.500 3h9A1.500 1.500 0 0 1 14 4.500v7a1.500 1.500 0 0 1-1.500 1.500h-9A1.500 1.500 0 0 1 2 11.500v-7A1.500 1.500 0 0 1 3.500 3ZM2 6.500h12M6.500 6.500V13',
  sites: 'M2.500 3h4.500v4.500H2.500ZM9 3h4.500v4.500H9ZM2.500 9.500H7V14H2.500ZM9 9.500h4.500V14H9Z',
  exit: 'M6 2.500H4A1.500 1.500 0 0 0 2.500 4v8A1.500 1.500 0 0 0 4 13.500h2M10 5l3 3-3 3M13 8H6.500',
  sun: 'M11 8a3 3 0 1 1-6 0 3 3 0 0 1 6 0ZM8 1.500v1M8 13.500v1M1.500 8h1M13.500 8h1M3.400 3.400l.7.7M11.900 11.900l.7.7M12.600 3.400l-.7.7M4.100 11.900l-.7.7',
  key: 'M9 7a3.200 3.200 0 1 1-6.400 0A3.200 3.200 0 0 1 9 7ZM9 7h5M12 7v2.500',
  keyboard:
    'M3 4h10a1 1 0 0 1 1 1v6a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1ZM4.500 6.500h.1M7 6.500h.1M9.500 6.500h.1M12 6.500h-.1M5 9.500h6',
  person:
    'M10.500 5.500a2.500 2.500 0 1 1-5 0 2.500 2.500 0 0 1 5 0ZM3 13.500c.5-2.500 2.500-3.800 5-3.800s4.500 1.300 5 3.800',
  bell: 'M3.500 11.500V7a4.500 4.500 0 0 1 9 0v4.500l1 1h-11ZM6.500 14h3',
  filter: 'M2.500 4h11M4.500 8h7M6.500 12h3',
  note: 'M3 2.500h10v7.500L9.500 13.500H3ZM9.500 13.500V10H13M5.500 5.500h5M5.500 8h3',
  more: 'M3.500 8h.1M8 8h.1M12.500 8h.1',
  download: 'M8 2.500v7M4.800 6.800 8 10l3.200-3.200M3 13.500h10',
  back: 'M7 3.500 2.500 8 7 12.500M3 8h10.500',
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, className = '' }: { name: IconName; className?: string }) {
  return (
    <svg className={`i ${className}`} viewBox="0 0 16 16" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}

/** State glyphs: a shape for each, so that colour is never alone. */
export function Glyph({ state }: { state: 'ok' | 'bad' | 'idle' | 'off' }) {
  return (
    <svg className={`g ${state}`} viewBox="0 0 14 14" aria-hidden="true">
      {state === 'ok' && <path d="m2.5 7.500 3 3 6-6.500" />}
      {state === 'bad' && (
        <path d="M2.500 1.500h9a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1h-9a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1ZM4.800 4.800l4.400 4.400M9.200 4.800 4.800 9.200" />
      )}
      {state === 'idle' && <circle cx="7" cy="7" r="5.700" strokeDasharray="2.400 2.080" />}
      {state === 'off' && <path d="M12.500 7a5.500 5.500 0 1 1-11 0 5.500 5.500 0 0 1 11 0ZM3.200 3.200l7.600 7.600" />}
    </svg>
  );
}

/** The mark: a rope led fair through its ring. */
export function Mark() {
  return (
    <svg className="mark" viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
      <circle cx="12" cy="12" r="6.25" />
      <path d="M1 20.500C5.500 20.500 8 16.500 12 12s6.500-8.500 11-8.500" />
    </svg>
  );
}
