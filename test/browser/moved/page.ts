/** What the test puts in place of these names when it bundles a page (test/browser/moving_in.test.ts). */
declare const deskOrigin: string;
declare const foreignId: string;

/** The one thing that a team changes. */
export const origin = deskOrigin;
/** What the site is called where it comes from. */
export const id = foreignId;

/** What a page can do once its tracker runs. */
export interface Steps {
  navigate(): unknown;
  signUp(): unknown;
  buy?(): unknown;
  link?(): unknown;
  sayWho?(): unknown;
}

declare global {
  interface Window {
    steps: Steps;
  }
}

/** As an application's router does it. */
export function navigate(): void {
  history.pushState({}, '', '/second?token=abc');
  document.title = 'Second';
}
