import { Umami } from '@umami/node';
import { id, navigate, origin } from './page.ts';

const umami = new Umami({ websiteId: id, hostUrl: origin });
/** The package sends what it is given: this is what its makers' script puts together. */
const here = () => ({
  website: id,
  hostname: location.hostname,
  url: location.pathname + location.search,
  title: document.title,
  screen: `${screen.width}x${screen.height}`,
  language: navigator.language,
});

window.steps = {
  navigate() {
    navigate();
    return umami.track(here());
  },
  signUp: () => umami.track({ ...here(), name: 'Sign up', data: { plan: 'team' } }),
  buy: () => umami.track({ ...here(), name: 'Purchase', data: { revenue: 19.99, currency: 'EUR' } }),
  sayWho: () => umami.identify({ email: 'anna@shop.example' }),
};
umami.track(here());
