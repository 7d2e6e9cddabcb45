/** A thread's first image pays for compiling what decodes and resizes it; so the first one is our own, while nobody waits. */
import { type Decoders, type PrepareOptions, prepareImage } from './prepare-image.ts';

/** 16×16 pixels, 4:2:0: `cjpeg -optimize -quality 50` of a gradient. */
const tinyJpeg =
  '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeXBk' +
  'eFxlZ2P/2wBDARESEhgVGC8aGi9jQjhCY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2P/wAARCAAQABADAS' +
  'IAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAABQb/xAAXEAEAAwAAAAAAAAAAAAAAAAAEACEx/8QAFQEBAQAAAAAAAAAAAAAAAAAAAAL/xAAZEQACAw' +
  'EAAAAAAAAAAAAAAAAABAMFITH/2gAMAwEAAhEDEQA/AJ84cqJnDlRM4cqJnDlSpWxXvc0//9k=';

export async function warmUp(options: PrepareOptions, decoders: Decoders): Promise<void> {
  const limits = { maxImageBytes: tinyJpeg.length, maxImagePixels: 256 };
  await prepareImage(tinyJpeg, { ...options, limits }, decoders, async () => {});
}
