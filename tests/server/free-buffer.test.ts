/** Only memory that is nobody else's is given back. */
import { expect, test } from 'bun:test';
import { freePiece } from '../../src/free-buffer.ts';

test('freePiece, a large one that has its buffer for itself: gone', () => {
  const piece = new Uint8Array(512 * 1024);
  freePiece(piece);
  expect(piece.length).toBe(0);
});

test.each([
  ['a part of something', new Uint8Array(new ArrayBuffer(512 * 1024), 1)],
  ['a small one', new Uint8Array(1024)],
])('freePiece, %s: stays', (_, piece) => {
  const { length } = piece;
  freePiece(piece);
  expect(piece.length).toBe(length);
});
