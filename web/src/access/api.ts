import type { AccessDecision, AccessReviewAnswer, AccessReviews } from '../../../contract/access_review.ts';
import { call } from '../desk/api.ts';

export type { AccessReview, AccessReviewAnswer, AccessReviews } from '../../../contract/access_review.ts';
export type Line = AccessReviewAnswer['lines'][number];
export type Kind = Line['kind'];

/** How many decisions one call carries (contract/access_review.ts, which the dashboard reads types of alone). */
const decisionsMax = 200;

const at = (organisation: number, rest = '') => `/api/organisations/${organisation}/access-reviews${rest}`;

/** The calls about the review of access, in a part of their own. */
export const access = {
  list: (organisation: number) => call<AccessReviews>('GET', at(organisation)),
  read: (organisation: number, review: number) => call<AccessReviewAnswer>('GET', at(organisation, `/${review}`)),
  begin: (organisation: number) => call<AccessReviewAnswer>('POST', at(organisation), { body: {} }),
  async decide(
    organisation: number,
    review: number,
    lines: readonly Line[],
    decision: AccessDecision['decision'],
  ): Promise<AccessReviewAnswer> {
    let answer: AccessReviewAnswer | undefined;
    for (let from = 0; from < lines.length; from += decisionsMax) {
      const decisions = lines
        .slice(from, from + decisionsMax)
        .map(({ kind, id, gives }) => ({ kind, id, gives, decision }));
      answer = await call<AccessReviewAnswer>('POST', at(organisation, `/${review}/decisions`), {
        body: { decisions },
      });
    }
    return answer ?? access.read(organisation, review);
  },
};
