import './demo_banner.css';

/** Set by the server of a demo in the head of every page (src/app/demo.ts), so that it is known before anything is asked. */
const isDemo = document.querySelector('meta[name="fairlead-demo"]') !== null;

/** Says on every page of a demo what its numbers are worth. */
export function DemoBanner() {
  if (!isDemo) return null;
  return (
    <aside className="demo-banner" aria-label="Demo">
      <b>Demo: made-up data</b>
      <span>Nothing here happened, and nothing is sent to anybody.</span>
    </aside>
  );
}
