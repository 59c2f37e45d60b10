export { acmeFiles } from './file_classes.ts';
export {
  type CertificateKeeper,
  type CertificateState,
  openCertificateKeeper,
  readCertificateState,
} from './keeper.ts';
