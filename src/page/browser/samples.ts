/** Pictures drawn on the spot, for a visitor who has none at hand: two pairs that are alike, and two that are not. */
import { element } from './dom.ts';

type Draw = (context: CanvasRenderingContext2D, random: () => number) => void;

const width = 384;
const height = 288;

const samples: readonly (readonly [name: string, Draw])[] = [
  ['dusk.png', (context, random) => dusk(context, random, 0.62, ['#27407a', '#d9776a', '#f6cf8b'])],
  ['later.png', (context, random) => dusk(context, random, 0.8, ['#141c3f', '#8c3f63', '#e79a5c'])],
  ['bricks.png', (context, random) => bricks(context, random, 36)],
  ['bricks-near.png', (context, random) => bricks(context, random, 64)],
  ['leaves.png', leaves],
  ['bubbles.png', bubbles],
];

/** The pictures as PNG files, the same pixels every time. */
export function drawSamples(): Promise<File[]> {
  return Promise.all(
    samples.map(async ([name, draw], seed) => {
      const canvas = document.createElement('canvas');
      canvas.width = width;
      canvas.height = height;
      const context = canvas.getContext('2d');
      if (!context) throw new Error('this browser has no canvas');
      draw(context, randomFrom(seed + 1));
      const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve));
      return new File(blob ? [blob] : [], name, { type: 'image/png' });
    }),
  );
}

/** A picture's own thumbnail, decoration beside the words. */
export function thumbnailOf(file: File): HTMLImageElement {
  return element('img', { attributes: { src: URL.createObjectURL(file), alt: '' } });
}

function dusk(
  context: CanvasRenderingContext2D,
  random: () => number,
  sunAt: number,
  sky: readonly string[],
): void {
  const gradient = context.createLinearGradient(0, 0, 0, height * 0.85);
  sky.forEach((colour, i) => {
    gradient.addColorStop(i / (sky.length - 1), colour);
  });
  context.fillStyle = gradient;
  context.fillRect(0, 0, width, height);
  context.fillStyle = '#fff1c9';
  disc(context, width * 0.66, height * sunAt, 30);
  for (const [level, colour] of [
    [0.68, '#3b3a5e'],
    [0.78, '#2a2a47'],
    [0.9, '#191a2e'],
  ] as const) {
    context.fillStyle = colour;
    context.beginPath();
    context.moveTo(0, height);
    const phase = random() * 6;
    for (let x = 0; x <= width; x += 6)
      context.lineTo(x, height * level + Math.sin(x / 48 + phase) * 14 + Math.sin(x / 17) * 5);
    context.lineTo(width, height);
    context.fill();
  }
}

function bricks(context: CanvasRenderingContext2D, random: () => number, size: number): void {
  context.fillStyle = '#c9bfae';
  context.fillRect(0, 0, width, height);
  const rowHeight = size / 2;
  for (let row = 0; row * rowHeight < height; row++)
    for (let column = -1; column * size < width; column++) {
      const shade = 34 + random() * 14;
      context.fillStyle = `hsl(${12 + random() * 8} 48% ${shade}%)`;
      const x = column * size + (row % 2) * rowHeight;
      context.fillRect(x + 2, row * rowHeight + 2, size - 4, rowHeight - 4);
    }
}

function leaves(context: CanvasRenderingContext2D, random: () => number): void {
  context.fillStyle = '#16301f';
  context.fillRect(0, 0, width, height);
  for (let i = 0; i < 130; i++) {
    context.save();
    context.translate(random() * width, random() * height);
    context.rotate(random() * Math.PI * 2);
    context.fillStyle = `hsl(${95 + random() * 45} 45% ${22 + random() * 34}%)`;
    context.beginPath();
    context.ellipse(0, 0, 30, 11, 0, 0, Math.PI * 2);
    context.fill();
    context.strokeStyle = '#0d1f14';
    context.beginPath();
    context.moveTo(-28, 0);
    context.lineTo(28, 0);
    context.stroke();
    context.restore();
  }
}

function bubbles(context: CanvasRenderingContext2D, random: () => number): void {
  context.fillStyle = '#bfe0ea';
  context.fillRect(0, 0, width, height);
  for (let i = 0; i < 46; i++) {
    const [x, y, radius] = [random() * width, random() * height, 8 + random() * 34];
    const glow = context.createRadialGradient(
      x - radius / 3,
      y - radius / 3,
      radius / 8,
      x,
      y,
      radius,
    );
    glow.addColorStop(0, '#ffffff');
    glow.addColorStop(0.75, `hsl(${185 + random() * 90} 60% 74%)`);
    glow.addColorStop(1, '#3f7fa6');
    context.fillStyle = glow;
    disc(context, x, y, radius);
  }
}

function disc(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  context.beginPath();
  context.arc(x, y, radius, 0, Math.PI * 2);
  context.fill();
}

/** Park and Miller's generator, 0 to 1. */
function randomFrom(seed: number): () => number {
  let state = seed * 7919;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}
