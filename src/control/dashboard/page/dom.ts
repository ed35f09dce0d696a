type Attributes = Readonly<Record<string, string>>;

/** An element of the page. @throws Error when the page has none: it and its script belong together */
export function find<T extends Element>(selector: string, type: new () => T, within: ParentNode = document): T {
  const found = within.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`the page has no ${selector}`);
  return found;
}

/** A new element. Text is text: nothing that somebody wrote becomes markup. */
export function make(tag: string, attributes: Attributes = {}, ...children: (Node | string)[]): HTMLElement {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Leaves the page alone when it says that already, so that selections and screen readers are not disturbed. */
export function say(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Shows a sentence, or nothing. */
export function sayOrHide(element: HTMLElement, text: string): void {
  say(element, text);
  element.hidden = text === '';
}

/** Children by key: those that stay keep their element, and with it the focus. */
export function sync(parent: Element, keys: readonly string[], create: (key: string) => HTMLElement): HTMLElement[] {
  const present = new Map([...parent.children].map((child) => [child.getAttribute('data-key'), child as HTMLElement]));
  const wanted = keys.map((key) => {
    const element = present.get(key) ?? create(key);
    element.setAttribute('data-key', key);
    return element;
  });
  for (const child of [...parent.children]) if (!wanted.includes(child as HTMLElement)) child.remove();
  wanted.forEach((element, at) => {
    if (parent.children[at] !== element) parent.insertBefore(element, parent.children[at] ?? null);
  });
  return wanted;
}

/** A link to another page of this or another server, in a tab of its own. */
export function link(href: string, text: string, label: string): HTMLElement {
  return make('a', { href, target: '_blank', rel: 'noopener noreferrer', 'aria-label': label }, text);
}
