import type { ReactNode } from 'react';
import { Component, useEffect } from 'react';
import { Link } from '../address/navigate.tsx';
import { Mark } from '../controls/icons.tsx';
import { useDesk } from '../desk/session.tsx';

/** A page without the rail: first run, sign-in, and what cannot be shown. */
export function PlainPage({
  title,
  version,
  narrow = false,
  children,
}: {
  title: string;
  version?: string | undefined;
  narrow?: boolean;
  children: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} · Fairlead`;
  }, [title]);
  return (
    <div className="fr">
      <header className="top">
        <Mark />
        Fairlead
        {version !== undefined && <span className="q">Version {version} · your own server</span>}
      </header>
      <main className={`col ${narrow ? 'narrow' : ''}`} id="main">
        {children}
      </main>
      <footer className="foot">
        <span>Free software, AGPL-3.0</span>
        <span>Everything you enter stays on this server</span>
      </footer>
    </div>
  );
}

/** A fault of the page itself leaves a sentence and a way on, never an empty window. */
export class Faults extends Component<{ children: ReactNode }, { fault: boolean }> {
  override state = { fault: false };

  static getDerivedStateFromError() {
    return { fault: true };
  }

  override render() {
    if (!this.state.fault) return this.props.children;
    return (
      <PlainPage title="A fault">
        <h1>This page met a fault of its own</h1>
        <p className="lede">Nothing that is stored is touched. Loading the page again usually mends it.</p>
        <button type="button" className="btn" onClick={() => window.location.reload()}>
          Load again
        </button>
      </PlainPage>
    );
  }
}

export function NowherePage({ what, why }: { what: string; why: string }) {
  return (
    <PlainPage title="Not here">
      <h1>{what}</h1>
      <p className="lede">{why}</p>
      <Link className="btn" href="/">
        Open my sites
      </Link>
    </PlainPage>
  );
}

export function UnreachablePage({ message }: { message: string }) {
  const { enter } = useDesk();
  useEffect(() => {
    const timer = setInterval(() => void enter(), 5_000);
    return () => clearInterval(timer);
  }, [enter]);
  return (
    <PlainPage title="No answer">
      <h1>This desk does not answer</h1>
      <p className="lede" role="status">
        {message} Events that it has acknowledged are safe on disk.
      </p>
      <button type="button" className="btn" onClick={() => void enter()}>
        Ask again
      </button>
    </PlainPage>
  );
}
