/** The pages of proofs as one part: each alone would weigh more than both. */
export { TrustPage } from './page.tsx';
export { ProofPage } from './proof_page.tsx';
