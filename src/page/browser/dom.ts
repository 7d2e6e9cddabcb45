/** Making elements without markup in strings: nothing a picture's name holds can become markup. */
type Child = Node | string | undefined;

interface Properties {
  class?: string;
  text?: string;
  onclick?: () => void;
  attributes?: Readonly<Record<string, string>>;
}

/** An element with its class, text, handler, attributes and children. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  if (properties.class) made.className = properties.class;
  if (properties.text !== undefined) made.textContent = properties.text;
  if (properties.onclick) made.addEventListener('click', properties.onclick);
  for (const [name, value] of Object.entries(properties.attributes ?? {}))
    made.setAttribute(name, value);
  for (const child of children) if (child !== undefined) made.append(child);
  return made;
}

/** The element of page.html with this id; it is there, or page.html and this script do not belong together. */
export function byId<Type extends HTMLElement>(id: string, type: new () => Type): Type {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`#${id} is not in the page`);
  return found;
}

/** A term and its description, for a `dl`. */
export function figure(term: string, value: string): HTMLDivElement {
  return element(
    'div',
    {},
    element('dt', { text: term }),
    element('dd', { text: value, attributes: { title: value } }),
  );
}

const announcer = (): HTMLElement => byId('announcer', HTMLElement);

/** Says something to screen readers that sighted people see happen. */
export function announce(text: string): void {
  announcer().textContent = text;
}

/** A file's size for people, in decimal units. */
export function byteSize(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
