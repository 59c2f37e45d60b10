import { init, track } from '@plausible-analytics/tracker';
import { navigate, origin } from './page.ts';

// It is silent in an automated browser otherwise.
Object.assign(window, { __plausible: true });
window.steps = {
  navigate,
  signUp: () => track('Sign up', { props: { plan: 'team' } }),
  buy: () => track('Purchase', { revenue: { amount: 19.99, currency: 'EUR' } }),
};
init({ domain: 'shop.example', endpoint: `${origin}/api/event` });
