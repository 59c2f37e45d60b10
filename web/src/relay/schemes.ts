import type { SignatureScheme } from '../../../contract/mapping.ts';

/** In the order in which they are offered; the type holds it against the contract's. */
export const signatureSchemeList: readonly SignatureScheme[] = ['hmac', 'shopify', 'woocommerce', 'stripe'];
