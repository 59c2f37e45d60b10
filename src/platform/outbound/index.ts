export { isPublicAddress } from './addresses.ts';
export type {
  Answer,
  Failure,
  FailureReason,
  Lookup,
  Outbound,
  OutboundRequest,
  OutboundSettings,
} from './outbound.ts';
export { failureReasons, openOutbound, outboundLimits } from './outbound.ts';
