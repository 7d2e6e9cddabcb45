/** What the system says of a file or an address, in words for whoever gave it: its own are a code and the name of a call. */
const ofFiles: Readonly<Record<string, string>> = {
  EACCES: 'permission denied to this user',
  EPERM: 'permission denied to this user',
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'a part of the path is a file and no folder',
  EISDIR: 'that is a folder',
  EROFS: 'it is on a file system that is read-only',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'its links lead in a circle',
  EIO: 'the disk fails',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of this user is used up',
};

/** Completes "FILE cannot be read: ". */
export const fileReason = (error: unknown): string => ofFiles[codeOf(error)] ?? words(error);

const noWay = 'there is no way from here to that address';
const untrusted =
  'its certificate is not trusted here (NODE_EXTRA_CA_CERTS=FILE names a certificate to trust)';
const ofAddresses: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was closed without an answer',
  ENOTFOUND: 'the name does not resolve here',
  EAI_AGAIN: 'the name cannot be looked up now',
  EHOSTUNREACH: noWay,
  ENETUNREACH: noWay,
  EADDRNOTAVAIL: noWay,
  EINVAL: noWay,
  EPROTO: 'the TLS handshake failed: a server without TLS has an address that begins with http://',
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet: is the clock of this machine right?',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
};

/** Completes "URL: "; undefined where there are no words for it. */
export const addressReason = (error: unknown): string | undefined => ofAddresses[codeOf(error)];

const codeOf = (error: unknown): string =>
  String((error as { code?: unknown } | undefined)?.code ?? '');

const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));
