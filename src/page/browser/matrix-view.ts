/** How alike the pictures are: every pair in a table, and each picture's nearest. */
import { byId, element } from './dom.ts';
import { finished, type Gallery, type Picture } from './gallery.ts';
import { css, currentRamp, inkOn, type Rgb } from './ramp.ts';
import { numberOf } from './row-view.ts';
import { distanceOf } from './similarity.ts';

/** More would be neither readable nor quick to lay out; nearest neighbours are told of all. */
const matrixAtMost = 24;
const neighboursShown = 3;
/** A larger table takes the whole width. */
const sideBySideAtMost = 8;

/** @param thumbnailOf - the address of a picture's thumbnail */
export function showSimilarity(gallery: Gallery, thumbnailOf: (picture: Picture) => string): void {
  const pictures = finished(gallery);
  const section = byId('similarity', HTMLElement);
  section.hidden = pictures.length < 2;
  if (section.hidden) return;

  const image = (picture: Picture): HTMLImageElement => {
    const shown = element('img', { attributes: { src: thumbnailOf(picture), alt: '' } });
    // Browsers show no TIFF; the name beside it says which it is.
    shown.addEventListener('error', () => {
      shown.style.visibility = 'hidden';
    });
    return shown;
  };
  const shown = pictures.slice(0, matrixAtMost);
  byId('similarity-views', HTMLElement).classList.toggle('many', shown.length > sideBySideAtMost);
  const matrix = byId('matrix', HTMLElement);
  matrix.replaceChildren(matrixOf(shown, gallery, image));
  // The arrow keys scroll what has the focus.
  if (matrix.scrollWidth > matrix.clientWidth) matrix.tabIndex = 0;
  else matrix.removeAttribute('tabindex');
  byId('matrix-note', HTMLElement).textContent =
    shown.length < pictures.length
      ? `The table shows the first ${matrixAtMost} of ${pictures.length} pictures.`
      : '';
  byId('neighbours', HTMLElement).replaceChildren(
    ...pictures.map((picture) => neighboursOf(picture, pictures, gallery, image)),
  );
}

type ImageOf = (picture: Picture) => HTMLImageElement;

function matrixOf(
  pictures: readonly Picture[],
  { similarity }: Gallery,
  image: ImageOf,
): HTMLTableElement {
  const cosines = pictures.map((a) => pictures.map((b) => similarity.cosine(a.id, b.id)));
  // The scale starts at the least alike pair, or every cell would be dark: photos rarely come near 0.
  const lowest = Math.min(1, ...cosines.flat().filter((cosine) => cosine !== undefined));

  const ramp = currentRamp();
  const colour = (cosine: number): Rgb => ramp(lowest < 1 ? (cosine - lowest) / (1 - lowest) : 1);

  const heading = (picture: Picture, scope: 'row' | 'col'): HTMLTableCellElement =>
    element(
      'th',
      { attributes: { scope, title: picture.name } },
      image(picture),
      element('span', { text: numberOf(picture), attributes: { 'aria-hidden': 'true' } }),
      element('span', { class: 'visually-hidden', text: picture.name }),
    );

  const table = element('table', {}, element('caption', { text: 'Cosine of every pair' }));
  table.append(
    element(
      'thead',
      {},
      element('tr', {}, element('td'), ...pictures.map((picture) => heading(picture, 'col'))),
    ),
  );
  const body = element('tbody');
  pictures.forEach((picture, row) => {
    const nearest = similarity
      .neighbours(picture.id)
      .find(({ id }) => pictures.some((other) => other.id === id))?.id;
    const cells = pictures.map((other, column) =>
      cellOf(cosines[row]?.[column], colour, {
        self: other === picture,
        nearest: other.id === nearest,
      }),
    );
    body.append(element('tr', {}, heading(picture, 'row'), ...cells));
  });
  table.append(body);
  return table;
}

function cellOf(
  cosine: number | undefined,
  colour: (cosine: number) => Rgb,
  { self, nearest }: { self: boolean; nearest: boolean },
): HTMLTableCellElement {
  if (cosine === undefined) return element('td', { text: '–' });
  const cell = element(
    'td',
    {
      class: self ? 'self' : nearest ? 'nearest' : '',
      attributes: {
        title: `cosine ${cosine.toFixed(4)}, L2 distance ${distanceOf(cosine).toFixed(4)}`,
      },
    },
    element('span', { text: cosine.toFixed(3) }),
  );
  if (nearest) cell.append(element('span', { class: 'visually-hidden', text: ', nearest' }));
  if (!self) {
    const background = colour(cosine);
    cell.style.backgroundColor = css(background);
    cell.style.color = inkOn(background);
  }
  return cell;
}

function neighboursOf(
  picture: Picture,
  pictures: readonly Picture[],
  { similarity }: Gallery,
  image: ImageOf,
): HTMLLIElement {
  const nearest = similarity
    .neighbours(picture.id)
    .slice(0, neighboursShown)
    .flatMap(({ id, cosine }) => {
      const other = pictures.find((candidate) => candidate.id === id);
      return other ? [{ other, cosine }] : [];
    });
  return element(
    'li',
    {},
    element(
      'span',
      { class: 'subject' },
      image(picture),
      element('span', { text: picture.name, attributes: { title: picture.name } }),
    ),
    element(
      'ol',
      { attributes: { 'aria-label': `Nearest to ${picture.name}` } },
      ...nearest.map(({ other, cosine }) =>
        element(
          'li',
          {},
          image(other),
          element('span', { class: 'other', text: other.name, attributes: { title: other.name } }),
          element('span', {
            class: 'value',
            text: cosine.toFixed(3),
            attributes: { title: `L2 distance ${distanceOf(cosine).toFixed(3)}` },
          }),
        ),
      ),
    ),
  );
}
