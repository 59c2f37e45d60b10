import type { ReactNode } from 'react';
import { createContext, use, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { now, storeDrafts } from '../edge/browser.ts';
import { readAs } from '../edge/reader.ts';
import { forgetAnswers } from './answers.ts';
import type { Session, Site } from './api.ts';
import { api, DeskError, onAccessDoubt, onAgreementDue, onSessionEnd } from './api.ts';

/** Who is here. `ended` differs from `nobody`: the page was open and should come back after signing in. */
export type Visitor =
  | { state: 'asking' }
  | { state: 'nobody' }
  | { state: 'ended' }
  | { state: 'unreachable'; message: string }
  | { state: 'here'; session: Session };

interface Desk {
  visitor: Visitor;
  /** Takes a fresh session (from signing in), or asks for it. */
  enter(session?: Session): Promise<void>;
  leave(): Promise<void>;
  keepSite(site: Site): void;
  /** Whether this page could show the site once, and can no longer. */
  hasLost(domain: string): boolean;
}

/** What a page is refused may be refused for a reason of its own: the session is asked for again no oftener than this. */
const doubtEveryMs = 3_000;
/** How often a page that can be seen asks what has changed for its reader, and when it comes to the front again. */
const againMs = 60_000;

const unsaved = new Set<() => void>();

/**
 * What a page holds of unsaved work is forgotten when its reader signs out by hand. A session that ends by itself forgets
 * nothing: the work goes on after signing in again.
 * @returns ends it
 */
export function onLeave(forget: () => void): () => void {
  unsaved.add(forget);
  return () => unsaved.delete(forget);
}

/** The pages first, so that none of them stores again what is taken away. */
function forgetWork(): void {
  for (const forget of unsaved) forget();
  storeDrafts(null);
}

const DeskContext = createContext<Desk | undefined>(undefined);

export function DeskProvider({ children }: { children: ReactNode }) {
  const [visitor, setVisitor] = useState<Visitor>({ state: 'asking' });

  const enter = useCallback(async (session?: Session) => {
    try {
      const here = isSession(session) ? session : await api.session();
      readAs(here.person);
      setVisitor({ state: 'here', session: here });
    } catch (error) {
      if (error instanceof DeskError && error.status === 401) setVisitor({ state: 'nobody' });
      else
        setVisitor({
          state: 'unreachable',
          message: error instanceof Error ? error.message : 'This desk does not answer.',
        });
    }
  }, []);

  const doubt = useRef({ at: 0, isDue: false, lost: new Set<string>() });
  /** Takes what has changed for this person since, and nothing else: what is drawn stays where nothing has. */
  const lookAgain = useCallback(async (): Promise<void> => {
    const restMs = doubt.current.at + doubtEveryMs - now();
    if (restMs > 0) {
      // Not now, and not never: what was refused since the last look may be news.
      if (!doubt.current.isDue) {
        doubt.current.isDue = true;
        setTimeout(() => {
          doubt.current.isDue = false;
          void lookAgain();
        }, restMs);
      }
      return;
    }
    doubt.current.at = now();
    const fresh = await api.session().catch(() => undefined);
    if (fresh === undefined) return;
    setVisitor((before) => {
      if (before.state !== 'here' || JSON.stringify(before.session) === JSON.stringify(fresh)) return before;
      for (const { domain } of before.session.sites) doubt.current.lost.add(domain);
      return { state: 'here', session: fresh };
    });
  }, []);

  useEffect(() => {
    onSessionEnd(() => setVisitor((before) => (before.state === 'here' ? { state: 'ended' } : before)));
    onAgreementDue(() => void enter());
    onAccessDoubt(() => void lookAgain());
    void enter();
    // What is not refused says nothing: an organisation that was suspended can be looked at as before.
    const look = () => {
      if (!document.hidden) void lookAgain();
    };
    const timer = setInterval(look, againMs);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, [enter, lookAgain]);

  const desk = useMemo<Desk>(
    () => ({
      visitor,
      enter,
      async leave() {
        try {
          await api.signOut();
        } finally {
          forgetAnswers();
          forgetWork();
          readAs(undefined);
          setVisitor({ state: 'nobody' });
        }
      },
      hasLost: (domain) => doubt.current.lost.has(domain),
      keepSite(site) {
        setVisitor((before) =>
          before.state !== 'here'
            ? before
            : {
                state: 'here',
                session: {
                  ...before.session,
                  sites: [...before.session.sites.filter((one) => one.id !== site.id), site].sort(
                    (a, b) => a.id - b.id,
                  ),
                },
              },
        );
      },
    }),
    [visitor, enter],
  );
  return <DeskContext value={desk}>{children}</DeskContext>;
}

export function useDesk(): Desk {
  const desk = use(DeskContext);
  if (desk === undefined) throw new Error('useDesk is called outside DeskProvider.');
  return desk;
}

/** The session of a page that is only drawn for someone who is signed in. */
export function useSession(): Session {
  const { visitor } = useDesk();
  if (visitor.state !== 'here') throw new Error('This page is drawn without a session; main.tsx must not do that.');
  return visitor.session;
}

/** The reader's role in the organisation of a site. */
export function useRole(site: Site) {
  return useSession().organisations.find(({ id }) => id === site.organisation_id)?.role ?? 'viewer';
}

/** Whether the reader may make and change what belongs to a site, such as its goals and annotations: a viewer may not. */
export function useMayChange(site: Site): boolean {
  const organisation = useSession().organisations.find(({ id }) => id === site.organisation_id);
  return organisation !== undefined && may(organisation, 'goal.manage');
}

export type Organisation = Session['organisations'][number];

/** May the reader do this in the organisation? The same answer that the desk gives, so that pages show what can be done. */
export function may(organisation: Organisation, permission: string): boolean {
  return organisation.permissions.includes(permission);
}

function isSession(value: unknown): value is Session {
  return typeof value === 'object' && value !== null && 'person' in value && 'sites' in value;
}
