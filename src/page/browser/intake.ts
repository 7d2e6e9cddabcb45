/** The ways pictures come in: picked, dropped anywhere on the page, pasted. */
import { announce, byId } from './dom.ts';

export interface IntakeOptions {
  readonly add: (files: readonly File[]) => void;
}

export function startIntake({ add }: IntakeOptions): void {
  const input = byId('pick', HTMLInputElement);
  const note = byId('intake-note', HTMLElement);

  function take(files: FileList | null | undefined, otherwise: string): void {
    note.textContent = '';
    if (files?.length) add([...files]);
    else {
      note.textContent = otherwise;
      announce(otherwise);
    }
  }

  input.addEventListener('change', () => {
    // An empty choice is a window that was closed again.
    if (input.files?.length) take(input.files, '');
    input.value = ''; // so that the same file can be picked again
  });

  // Enter and leave come for every element passed over; only the outermost pair counts.
  let depth = 0;
  const over = (by: number): void => {
    depth = Math.max(0, depth + by);
    document.body.classList.toggle('dragging', depth > 0);
  };
  window.addEventListener('dragenter', () => over(1));
  window.addEventListener('dragleave', () => over(-1));
  window.addEventListener('dragover', (event) => event.preventDefault());
  window.addEventListener('drop', (event) => {
    event.preventDefault();
    over(-depth);
    take(
      event.dataTransfer?.files,
      'That held no file. Save the picture first, then drop the file here.',
    );
  });
  window.addEventListener('paste', (event) => {
    take(
      event.clipboardData?.files,
      'The clipboard holds no picture. Copy a picture or a file, then paste again.',
    );
  });
}
