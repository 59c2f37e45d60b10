export { isPublicAddress } from './addresses.ts';
export { callbackPauseMs, callbackTriesMax, postCallback } from './callbacks.ts';
export type {
  Answer,
  Failure,
  FailureReason,
  Gate,
  GateRefusal,
  HostCalls,
  Lookup,
  Outbound,
  OutboundRequest,
  OutboundSettings,
} from './outbound.ts';
export { failureReasons, openOutbound, outboundLimits } from './outbound.ts';
export type { ProductEvent, Reports, ReportsSettings } from './reports.ts';
export { openReports, productEvents, reportLimits } from './reports.ts';
export { webhookSignature } from './webhook_signature.ts';
