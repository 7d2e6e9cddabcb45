import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { encodeGrpcMessage } from '../../src/server/errors/grpc-status.ts';

test('encodeGrpcMessage, leaves readable text as it is', () => {
  expect(encodeGrpcMessage('datas[1]: not base64 ("x")')).toBe('datas[1]: not base64 ("x")');
  expect(encodeGrpcMessage('100 %, Größe\r\n')).toBe('100 %25, Gr%C3%B6%C3%9Fe%0D%0A');
});

test('encodeGrpcMessage, any text is printable ASCII and comes back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const encoded = encodeGrpcMessage(text);
      expect(encoded).toMatch(/^[\x20-\x7e]*$/);
      expect(decodeURIComponent(encoded)).toBe(text);
    }),
  );
});
