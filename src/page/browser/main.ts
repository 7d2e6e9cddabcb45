/** The page: pictures come in, go to the operator, and show what came back. */
import { announce, byId } from './dom.ts';
import { createGallery, finished, type Picture } from './gallery.ts';
import { startIntake } from './intake.ts';
import { startMasthead } from './masthead-view.ts';
import { showSimilarity } from './matrix-view.ts';
import { embed } from './operator.ts';
import { onSchemeChange } from './ramp.ts';
import { createRow, type Row, type RowActions } from './row-view.ts';
import { drawSamples, thumbnailOf } from './samples.ts';
import { copy, downloadJson, downloadNpy, stemOf, vectorAsJson, vectorsAsJson } from './save.ts';
import { formatMs } from './timings.ts';

const rows = new Map<Picture, Row>();
const list = byId('rows', HTMLOListElement);
const probe = byId('probe', HTMLInputElement);
const masthead = startMasthead();
const samples = drawSamples();
const gallery = createGallery({ embed, changed: show });

let busySince: number | undefined;
let took = '';
let drawn = false;
let probed = false;

const actions: RowActions = {
  remove(picture) {
    const next = rows.get(picture)?.node.nextElementSibling;
    gallery.remove(picture);
    // Focus would fall back to the top of the page.
    (next instanceof HTMLElement ? next : byId('pick', HTMLInputElement)).focus();
    announce(`${picture.name} removed`);
  },
  retry(picture) {
    gallery.retry(picture);
    rows.get(picture)?.node.focus();
  },
  copy(picture) {
    if (picture.state.step !== 'done') return;
    copied(copy(vectorAsJson(picture.state.embedding.vector)), `Vector of ${picture.name}`);
  },
  save(picture) {
    if (picture.state.step !== 'done') return;
    downloadNpy(`${stemOf(picture.name)}.npy`, [picture.state.embedding.vector]);
  },
  probe: markDimension,
};

function show(picture: Picture): void {
  const row = rows.get(picture);
  if (!gallery.pictures.includes(picture)) {
    row?.close();
    rows.delete(picture);
  } else if (row) row.update();
  else {
    const made = createRow(picture, actions);
    rows.set(picture, made);
    list.append(made.node);
  }
  if (picture.state.step === 'failed')
    announce(`${picture.name}: ${picture.state.failure.title}. ${picture.state.failure.message}`);
  if (drawn) return;
  drawn = true;
  requestAnimationFrame(() => {
    drawn = false;
    showWhole();
  });
}

/** What depends on all pictures together, once per frame. */
function showWhole(): void {
  const { pictures } = gallery;
  const done = finished(gallery);
  const failed = pictures.filter(({ state }) => state.step === 'failed').length;
  const settled = done.length + failed;
  const again = pictures.filter(canRetry);
  byId('retry-all', HTMLElement).hidden = again.length < 2;
  const first = done[0]?.state.embedding.vector;

  document.body.classList.toggle('empty', pictures.length === 0);
  byId('sheet', HTMLElement).hidden = pictures.length === 0;
  for (const button of document.querySelectorAll<HTMLButtonElement>('[data-needs-vectors]'))
    button.disabled = done.length === 0;
  byId('probing', HTMLElement).hidden = !first;
  if (first) {
    probe.max = String(first.length - 1);
    markDimension(probed ? probe.valueAsNumber : first.indexOf(Math.max(...first)));
    probed = true;
  }

  const bar = byId('progress', HTMLProgressElement);
  bar.max = Math.max(1, pictures.length);
  bar.value = settled;
  byId('progress-text', HTMLElement).textContent = summary(settled, failed);
  showSimilarity(gallery, (picture) => rows.get(picture)?.thumbnail ?? '');
}

function summary(settled: number, failed: number): string {
  const count = gallery.pictures.length;
  const trouble = failed > 0 ? `, ${failed} failed` : '';
  if (settled < count) {
    busySince ??= performance.now();
    return `${settled} of ${count}${trouble}`;
  }
  const good = `${settled - failed} of ${count}`;
  if (busySince !== undefined && count > 0) {
    took = `, in ${formatMs(performance.now() - busySince)}`;
    masthead.refresh();
    announce(`${good} pictures have their vectors${trouble}`);
  }
  busySince = undefined;
  return `${good}${trouble}${took}`;
}

function markDimension(dimension: number): void {
  probe.value = String(dimension);
  byId('probe-value', HTMLOutputElement).value = probe.value;
  for (const row of rows.values()) row.mark(dimension);
}

function copied(copying: Promise<void>, what: string): void {
  const toast = byId('toast', HTMLElement);
  const say = (text: string): void => {
    toast.textContent = text;
    toast.hidden = false;
    announce(text);
    setTimeout(() => (toast.hidden = true), 2_500);
  };
  copying.then(
    () => say(`${what} copied`),
    (thrown: unknown) => say(`Not copied: ${thrown instanceof Error ? thrown.message : thrown}`),
  );
}

const named = () =>
  finished(gallery).map(({ name, state }) => ({ name, vector: state.embedding.vector }));

const canRetry = ({ state }: Picture): boolean => state.step === 'failed' && state.failure.retry;

/** The button goes with the empty page: the focus follows what it has made. */
function useSamples(files: readonly File[]): void {
  gallery.add(files);
  showWhole();
  byId('sheet', HTMLElement).focus({ preventScroll: true });
}

function onClick(id: string, action: () => void): void {
  byId(id, HTMLButtonElement).addEventListener('click', action);
}

onClick('samples', () => void samples.then(useSamples));
onClick('retry-all', () => {
  for (const picture of gallery.pictures.filter(canRetry)) gallery.retry(picture);
  byId('sheet', HTMLElement).focus();
});
onClick('clear', () => {
  gallery.clear();
  byId('pick', HTMLInputElement).focus();
  announce('All pictures removed');
});
onClick('copy-all', () => copied(copy(vectorsAsJson(named(), masthead.origin())), 'All vectors'));
onClick('save-json', () => downloadJson('vectors.json', vectorsAsJson(named(), masthead.origin())));
onClick('save-npy', () =>
  downloadNpy(
    'vectors.npy',
    named().map(({ vector }) => vector),
  ),
);
probe.addEventListener('input', () => markDimension(probe.valueAsNumber));
onSchemeChange(() => {
  for (const row of rows.values()) row.repaint();
  showWhole();
});
void samples.then((files) =>
  byId('sample-thumbnails', HTMLElement).replaceChildren(...files.map(thumbnailOf)),
);
startIntake({ add: (files) => gallery.add(files) });
