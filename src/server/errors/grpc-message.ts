/**
 * Text for the `grpc-message` header: UTF-8 in which all but printable ASCII, and the percent sign, is percent-encoded.
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses
 */
export const encodeGrpcMessage = (text: string): string =>
  Array.from(Buffer.from(text, 'utf8'), (byte) =>
    byte < 0x20 || byte > 0x7e || byte === 0x25
      ? `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
      : String.fromCharCode(byte),
  ).join('');
