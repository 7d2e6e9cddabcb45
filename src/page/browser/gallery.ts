/** The pictures of this visit and the queue that sends them, one `Execute` each. */
import { type Failure, failureOf } from './failure.ts';
import { type Figures, figuresOf } from './figures.ts';
import type { Embedding } from './operator.ts';
import { createSimilarity, type Similarity } from './similarity.ts';

export type PictureState =
  | { readonly step: 'waiting' }
  | { readonly step: 'working' }
  | { readonly step: 'done'; readonly embedding: Embedding; readonly figures: Figures }
  | { readonly step: 'failed'; readonly failure: Failure };

export interface Picture {
  /** 1, 2, 3 … in the order they came; the page's short name for it. */
  readonly id: number;
  readonly name: string;
  readonly file: Blob;
  state: PictureState;
}

export interface Gallery {
  readonly pictures: readonly Picture[];
  readonly similarity: Similarity;
  add(files: readonly File[]): void;
  retry(picture: Picture): void;
  remove(picture: Picture): void;
  clear(): void;
}

export interface GalleryOptions {
  readonly embed: (file: Blob, signal: AbortSignal) => Promise<Embedding>;
  /** A picture came, went or changed its state. */
  readonly changed: (picture: Picture) => void;
}

/** One picture is decoded while the network runs on another; more would only wait in the operator's queue. */
const inFlightAtMost = 2;

export function createGallery({ embed, changed }: GalleryOptions): Gallery {
  const pictures: Picture[] = [];
  const running = new Map<Picture, AbortController>();
  const similarity = createSimilarity();
  let nextId = 1;

  function set(picture: Picture, state: PictureState): void {
    picture.state = state;
    changed(picture);
  }

  async function send(picture: Picture): Promise<void> {
    const controller = new AbortController();
    running.set(picture, controller);
    set(picture, { step: 'working' });
    try {
      const embedding = await embed(picture.file, controller.signal);
      if (controller.signal.aborted) return;
      similarity.add(picture.id, embedding.vector);
      set(picture, { step: 'done', embedding, figures: figuresOf(embedding.vector) });
    } catch (thrown) {
      if (!controller.signal.aborted) set(picture, { step: 'failed', failure: failureOf(thrown) });
    } finally {
      running.delete(picture);
      sendNext();
    }
  }

  function sendNext(): void {
    while (running.size < inFlightAtMost) {
      const next = pictures.find(({ state }) => state.step === 'waiting');
      if (!next) return;
      void send(next);
    }
  }

  function drop(picture: Picture): void {
    const at = pictures.indexOf(picture);
    if (at < 0) return;
    pictures.splice(at, 1);
    running.get(picture)?.abort();
    similarity.remove(picture.id);
    changed(picture);
  }

  return {
    pictures,
    similarity,
    add(files) {
      for (const file of files) {
        const picture: Picture = {
          id: nextId++,
          name: file.name,
          file,
          state: { step: 'waiting' },
        };
        pictures.push(picture);
        changed(picture);
      }
      sendNext();
    },
    retry(picture) {
      set(picture, { step: 'waiting' });
      sendNext();
    },
    remove: drop,
    clear() {
      for (const picture of [...pictures]) drop(picture);
      nextId = 1;
    },
  };
}

/** The pictures that have their vectors. */
export function finished(
  gallery: Gallery,
): (Picture & { state: Extract<PictureState, { step: 'done' }> })[] {
  return gallery.pictures.filter(
    (picture): picture is Picture & { state: Extract<PictureState, { step: 'done' }> } =>
      picture.state.step === 'done',
  );
}
