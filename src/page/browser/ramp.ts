/** Colours for values: one ramp on light, one on dark, each running away from the page's own background. */
export type Rgb = readonly [number, number, number];

const light: readonly Rgb[] = [
  [0xe9, 0xef, 0xee],
  [0xa6, 0xd2, 0xcf],
  [0x48, 0x9f, 0xb1],
  [0x1d, 0x5c, 0x8a],
  [0x10, 0x1d, 0x42],
];
const dark: readonly Rgb[] = [
  [0x0c, 0x14, 0x17],
  [0x17, 0x45, 0x60],
  [0x27, 0x85, 0x98],
  [0x86, 0xcb, 0xb2],
  [0xf8, 0xf4, 0xc6],
];

const prefersDark = (): MediaQueryList => matchMedia('(prefers-color-scheme: dark)');

/** Calls back when the visitor turns from light to dark or back. */
export function onSchemeChange(callback: () => void): void {
  prefersDark().addEventListener('change', callback);
}

/** Gives the colour of `t`, 0 to 1, on the background of now. */
export function currentRamp(): (t: number) => Rgb {
  const stops = prefersDark().matches ? dark : light;
  return (t) => {
    const position = Math.min(1, Math.max(0, t)) * (stops.length - 1);
    const at = Math.min(stops.length - 2, Math.floor(position));
    const [from, to] = [stops[at] ?? [0, 0, 0], stops[at + 1] ?? [0, 0, 0]];
    const mix = (channel: 0 | 1 | 2): number =>
      Math.round(from[channel] + (to[channel] - from[channel]) * (position - at));
    return [mix(0), mix(1), mix(2)];
  };
}

export const css = ([r, g, b]: Rgb): string => `rgb(${r} ${g} ${b})`;

/** Black or white, whichever is read more easily on `background`: at least 4.58:1, where both are equal. */
export function inkOn(background: Rgb): string {
  const [r, g, b] = background.map((channel) => {
    const c = channel / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  // Relative luminance, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance
  const luminance = 0.2126 * (r ?? 0) + 0.7152 * (g ?? 0) + 0.0722 * (b ?? 0);
  return luminance > 0.179 ? '#000' : '#fff';
}
