/** The page's files, as constants of the program. */

import { bundlePage } from './bundle.ts' with { type: 'macro' };
import type { PageFile } from './bundle.ts';

export const pageFiles: readonly PageFile[] = bundlePage();
