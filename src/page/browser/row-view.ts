/** One picture's row: thumbnail, state, and once it has its vector the strip, the times and the figures. */
import { byteSize, element, figure } from './dom.ts';
import type { Failure } from './failure.ts';
import { type Figures, formatValue } from './figures.ts';
import type { Picture } from './gallery.ts';
import type { Embedding } from './operator.ts';
import { cellOf, dimensionAt, paintStrip } from './strip.ts';
import { timesView } from './times-view.ts';
import { formatMs } from './timings.ts';

export interface RowActions {
  readonly remove: (picture: Picture) => void;
  readonly retry: (picture: Picture) => void;
  readonly copy: (picture: Picture) => void;
  readonly save: (picture: Picture) => void;
  /** The visitor points at a dimension of a strip. */
  readonly probe: (dimension: number) => void;
}

export interface Row {
  readonly node: HTMLLIElement;
  /** Where the thumbnail can be had, for other views. */
  readonly thumbnail: string;
  update(): void;
  /** Marks a dimension on the strip and tells its value. */
  mark(dimension: number): void;
  /** The colours changed. */
  repaint(): void;
  close(): void;
}

export const numberOf = (picture: Picture): string => String(picture.id).padStart(2, '0');

export function createRow(picture: Picture, actions: RowActions): Row {
  const thumbnail = URL.createObjectURL(picture.file);
  const state = element('div', { class: 'state' });
  const side = element('div', { class: 'side' });
  const total = element('span', { class: 'total' });
  const node = element(
    'li',
    { class: 'row', attributes: { tabindex: '-1', 'aria-label': picture.name } },
    thumbnailView(thumbnail, picture),
    element(
      'div',
      { class: 'row-body' },
      element(
        'div',
        { class: 'row-head' },
        element('h3', { text: picture.name, attributes: { title: picture.name } }),
        element('span', { class: 'quiet', text: byteSize(picture.file.size) }),
        total,
      ),
      state,
    ),
    side,
  );
  const button = (text: string, label: string, onclick: () => void): HTMLButtonElement =>
    element('button', {
      class: 'small',
      text,
      onclick,
      attributes: { type: 'button', 'aria-label': `${label} ${picture.name}` },
    });
  const removal = (): HTMLButtonElement =>
    button('Remove', 'Remove', () => actions.remove(picture));

  let done: DoneView | undefined;

  function update(): void {
    const now = picture.state;
    node.dataset.state = now.step;
    node.setAttribute('aria-busy', String(now.step === 'working'));
    done = undefined;
    total.textContent = now.step === 'done' ? formatMs(now.embedding.totalMs) : '';
    if (now.step === 'done') {
      done = doneView(picture, now.embedding, now.figures, actions.probe);
      state.replaceChildren(done.strip, timesView(now.embedding));
      side.replaceChildren(
        done.figures,
        element(
          'div',
          { class: 'row-actions' },
          button('Copy', 'Copy the vector of', () => actions.copy(picture)),
          button('.npy', 'Download as .npy the vector of', () => actions.save(picture)),
          removal(),
        ),
      );
      return;
    }
    side.replaceChildren(element('div', { class: 'row-actions' }, removal()));
    if (now.step === 'failed') {
      const again = button('Try again', 'Try again with', () => actions.retry(picture));
      state.replaceChildren(failureView(now.failure, now.failure.retry ? again : undefined));
    } else state.replaceChildren(busyView(now.step, picture));
  }

  update();
  return {
    node,
    thumbnail,
    update,
    mark: (dimension) => done?.mark(dimension),
    repaint: () => done?.repaint(),
    close() {
      node.remove();
      URL.revokeObjectURL(thumbnail);
    },
  };
}

/** The picture as the browser shows it; what it cannot show (TIFF, a broken file) gives its name's ending instead. */
function thumbnailView(source: string, picture: Picture): HTMLDivElement {
  const image = element('img', {
    attributes: { src: source, alt: '', loading: 'lazy', decoding: 'async' },
  });
  const box = element(
    'div',
    { class: 'frame' },
    image,
    element('span', {
      class: 'number',
      text: numberOf(picture),
      attributes: { 'aria-hidden': 'true' },
    }),
  );
  image.addEventListener('error', () => {
    const ending = /\.(\w{1,5})$/.exec(picture.name)?.[1] ?? 'file';
    image.replaceWith(element('span', { class: 'no-thumbnail', text: ending }));
  });
  return box;
}

function busyView(step: 'waiting' | 'working', picture: Picture): HTMLDivElement {
  const text = step === 'waiting' ? 'Waiting its turn' : 'At the operator';
  const bar = element('progress', {
    attributes: { 'aria-label': `${picture.name}: ${text}`, max: '1' },
  });
  if (step === 'waiting') bar.value = 0;
  return element('div', { class: 'busy' }, bar, element('span', { class: 'quiet', text }));
}

function failureView(failure: Failure, again: HTMLButtonElement | undefined): HTMLDivElement {
  return element(
    'div',
    { class: 'failure' },
    element(
      'p',
      {},
      element('strong', { text: failure.title }),
      ' ',
      element('code', { text: failure.code }),
    ),
    element('p', { text: failure.message }),
    again,
  );
}

interface DoneView {
  readonly strip: HTMLDivElement;
  readonly figures: HTMLDListElement;
  mark(dimension: number): void;
  repaint(): void;
}

function doneView(
  picture: Picture,
  { vector }: Embedding,
  figures: Figures,
  probe: RowActions['probe'],
): DoneView {
  const canvas = element('canvas', {
    attributes: {
      role: 'img',
      'aria-label': `The ${vector.length} values of ${picture.name} as a strip of colours`,
    },
  });
  const marker = element('span', { class: 'marker' });
  const strip = element('div', { class: 'strip' }, canvas, marker);
  const point = ({ clientX, clientY }: PointerEvent): void => {
    const box = canvas.getBoundingClientRect();
    probe(dimensionAt(clientX - box.left, clientY - box.top, box, vector.length));
  };
  strip.addEventListener('pointermove', point);
  strip.addEventListener('pointerdown', point);

  const probed = element('dd');
  const probedTerm = element('dt');
  const list = element(
    'dl',
    { class: 'figures' },
    figure('Norm', formatValue(figures.norm)),
    figure('Smallest', formatValue(figures.min)),
    figure('Largest', formatValue(figures.max)),
    figure('Zeros', `${(figures.sparsity * 100).toFixed(1)} %`),
    element('div', { class: 'probed' }, probedTerm, probed),
  );
  paintStrip(canvas, vector);
  return {
    strip,
    figures: list,
    mark(dimension) {
      const cell = cellOf(dimension, vector.length);
      marker.style.left = `${cell.left}%`;
      marker.style.top = `${cell.top}%`;
      probedTerm.textContent = `At ${dimension}`;
      probed.textContent = formatValue(vector[dimension] ?? 0);
    },
    repaint: () => paintStrip(canvas, vector),
  };
}
