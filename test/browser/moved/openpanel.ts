import { OpenPanel } from '@openpanel/web';
import { id, navigate, origin } from './page.ts';

const op = new OpenPanel({ clientId: id, apiUrl: origin, trackScreenViews: true, trackOutgoingLinks: true });
window.steps = {
  navigate,
  signUp: () => op.track('Sign up', { plan: 'team' }),
  buy: () => op.revenue(1999, { currency: 'EUR' }),
  async sayWho() {
    await op.identify({ profileId: 'anna', email: 'anna@shop.example' });
    await op.increment({ profileId: 'anna', property: 'visits' });
  },
};
