import type { Audience, Person } from './audience.ts';
import type { Chance } from './chance.ts';
import type { Walk } from './walk.ts';

/** A made-up site: how many come when, from where, and what they do there. */
export interface DemoSite {
  domain: string;
  timezone: string;
  currency: string;
  /** As `fairlead setup --goal` takes them. */
  goals: readonly string[];
  /** Events with Sec-GPC are dropped here. */
  dropsSignals: boolean;
  /** Is it there to earn? Orders and revenue stand on the overview. */
  earns: boolean;
  /** What its people wrote onto the chart. */
  annotations: readonly { daysAgo: number; note: string }[];
  /** Visits on an average day at the end of the history, without what `happenings` adds. */
  visitsPerDay: number;
  /** The share of that number which the site has gained within 90 days. */
  growth: number;
  /** Monday to Sunday, 1 on average. */
  weekdays: readonly number[];
  /** By hour of the site's own clock, 1 on average. */
  hours: readonly number[];
  audience: Audience;
  sources: readonly (readonly [weight: number, source: Source])[];
  happenings: readonly Happening[];
  /** A day on which the tracker was missing for some hours: days before today, and the hours of the site's clock. */
  gap: { daysAgo: number; fromHour: number; toHour: number } | undefined;
  /** Paths that robots ask for. */
  robotPaths: readonly string[];
  /** What one visitor does. */
  journey(visit: Visit): void;
}

export interface Source {
  /** Addresses of pages that link here; '' is a bookmark or an app. */
  referrers: readonly string[];
  /** The query of the first page, with its campaign. One is drawn. */
  queries?: readonly string[];
  /** Where people come in. */
  entries?: readonly string[];
  /** The share that leaves after one page. */
  bounce: number;
  /** How ready they are to do what the site is there for; 1 is the average. */
  intent: number;
}

/** Something that brings people for some days. */
export interface Happening {
  /** Days before today on which it begins. */
  daysAgo: number;
  days: number;
  /** Visits on its first day. */
  visits: number;
  /** What is left of them on each next day. */
  fade: number;
  /** The hour of the site's clock at which it begins on the first day. */
  fromHour: number;
  source: Source;
}

export interface Visit {
  walk: Walk;
  chance: Chance;
  person: Person;
  source: Source;
  /** Whole days before today, by the site's own calendar. */
  daysAgo: number;
}
