import rybbit from '@rybbit/js';
import { id, navigate, origin } from './page.ts';

window.steps = {
  navigate,
  signUp: () => rybbit.event('Sign up', { plan: 'team' }),
  link: () => rybbit.trackOutbound('https://partner.example/?token=abc', 'Anna Schmidt'),
  sayWho: () => rybbit.identify('anna'),
};
rybbit.init({ analyticsHost: `${origin}/api`, siteId: id });
