export type { Answer, Failure, FailureReason, Outbound, OutboundRequest, OutboundSettings } from './outbound.ts';
export { openOutbound, outboundLimits } from './outbound.ts';
