import { z } from 'zod';
import { httpsAddress } from './api.ts';

/** Requests of data subjects that another system hands in, in the shapes of OpenDSR (github.com/opengdpr/OpenDSR). */
export const openDsrVersion = '2.0';
export const openDsrTypes = ['access', 'portability', 'erasure'] as const;
/** Addresses that are told of one request. */
export const openDsrCallbacksMax = 5;
export const openDsrIdentities = ['email', 'phone', 'controller_customer_id'] as const;

/** In lower case, as the specification writes it. */
export const openDsrId = z.uuidv4().regex(/^[0-9a-f-]+$/);
const moment = z.string();

export const openDsrRequest = z.strictObject({
  regulation: z.enum(['gdpr', 'ccpa']),
  subject_request_id: openDsrId,
  subject_request_type: z.enum(openDsrTypes),
  submitted_time: z.iso.datetime({ offset: true }),
  /** One of each type at most: who asks. Digests find nobody here, since what is stored lies under keyed ones. */
  subject_identities: z
    .array(
      z.strictObject({
        identity_type: z.enum(openDsrIdentities),
        identity_value: z.string().trim().min(1).max(254),
        identity_format: z.literal('raw'),
      }),
    )
    .min(1)
    .max(openDsrIdentities.length),
  api_version: z.string().max(10).optional(),
  property_id: z.string().max(200).optional(),
  group_id: z.string().max(200).optional(),
  /** Told of each change of the state, by https. */
  status_callback_urls: z.array(httpsAddress).max(openDsrCallbacksMax).optional(),
  /** Of other processors. */
  extensions: z.record(z.string(), z.unknown()).optional(),
});

export const openDsrDiscovery = z.object({
  api_version: z.string(),
  supported_identities: z.array(
    z.object({ identity_type: z.enum(openDsrIdentities), identity_format: z.literal('raw') }),
  ),
  supported_subject_request_types: z.array(z.enum(openDsrTypes)),
  /** Where the key is that signs answers: Ed25519, as PEM. It is a key and no certificate. */
  processor_certificate: z.string(),
});
const of = { controller_id: z.string(), subject_request_id: z.string(), api_version: z.string() };
export const openDsrReceived = z.object({
  ...of,
  expected_completion_time: moment,
  received_time: moment,
  /** The request as it was read, in base64. It names who asks: not for a log. */
  encoded_request: z.string(),
});
export const openDsrStatus = z.object({
  ...of,
  expected_completion_time: moment,
  request_status: z.enum(['pending', 'in_progress', 'completed', 'cancelled']),
  /** Of an archive that was put together. */
  results_count: z.number().optional(),
});
export const openDsrCancelled = z.object({ ...of, received_time: moment });
