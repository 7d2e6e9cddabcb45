/** Where one picture's time went: a bar in proportion, and under it the same in numbers. */
import { element } from './dom.ts';
import type { Embedding } from './operator.ts';
import { formatMs } from './timings.ts';

export function timesView({ stages }: Embedding): HTMLDivElement {
  const bar = element('div', { class: 'times-bar', attributes: { 'aria-hidden': 'true' } });
  const list = element('dl', { class: 'times' });
  for (const { name, ms } of stages) {
    const segment = element('span', { attributes: { 'data-stage': name } });
    segment.style.flexGrow = String(ms);
    bar.append(segment);
    list.append(
      element(
        'div',
        { attributes: { 'data-stage': name } },
        element('dt', { text: name }),
        element('dd', { text: formatMs(ms) }),
      ),
    );
  }
  return element('div', {}, bar, list);
}
