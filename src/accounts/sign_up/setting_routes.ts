import { z } from 'zod';
import { newSignUpInvitation, signUpInvitation, signUpSetting, signUpSettings } from '../../../contract/sign_up.ts';
import { actOf } from '../../platform/audit.ts';
import { defineRoute, RequestError, type Route } from '../../platform/http/route.ts';
import { lackOf } from './admission.ts';
import type { SignUpParts } from './parts.ts';

/** Who may sign up, and who is invited to: for whoever runs the desk. */
export function settingRoutes({ house, settings, own, legal }: SignUpParts): Route[] {
  const answer = async () => ({
    ...(await settings.read()),
    mail_is_on: await house.mail.isOn(),
    missing: await legal.missing(),
    invitations: await own.list(),
  });
  return [
    defineRoute({
      method: 'GET',
      path: '/api/desk/sign-up',
      access: 'operator',
      summary: 'Who may sign up by themselves, and who is invited to.',
      answer: signUpSettings,
      handle: async () => ({ body: await answer() }),
    }),
    defineRoute({
      method: 'PUT',
      path: '/api/desk/sign-up',
      access: 'operator',
      summary: 'Says who may sign up by themselves: nobody, everybody, who is invited, or addresses of these domains.',
      body: signUpSetting,
      answer: signUpSettings,
      async handle(request) {
        await settings.write(request.body, actOf(request));
        return { body: await answer() };
      },
    }),
    defineRoute({
      method: 'POST',
      path: '/api/desk/sign-up/invitations',
      access: 'operator',
      summary: 'Mails an invitation to make an account and an organisation. It works for seven days, for that address.',
      body: newSignUpInvitation,
      answer: signUpInvitation,
      async handle(request) {
        const missing = await legal.missing();
        if (missing.length > 0) throw new RequestError('conflict', lackOf(missing));
        return { status: 201, body: await own.send(request.body.email.trim(), request) };
      },
    }),
    defineRoute({
      method: 'DELETE',
      path: '/api/desk/sign-up/invitations/:id',
      access: 'operator',
      summary: 'Takes an invitation to sign up back: its link is dead at once.',
      params: z.object({ id: z.coerce.number().int().positive().max(Number.MAX_SAFE_INTEGER) }),
      async handle(request) {
        await own.revoke(request.params.id, request);
        return { status: 204 };
      },
    }),
  ];
}
