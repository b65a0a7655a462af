/** As much of a browser's document as the page's script uses: Deno's own types have none of it. */

export interface PageElement {
  hidden: boolean;
  value: string;
  className: string;
  textContent: string;
  readonly dataset: Record<string, string | undefined>;
  append(...children: (PageElement | string)[]): void;
  replaceChildren(...children: (PageElement | string)[]): void;
  setAttribute(name: string, value: string): void;
  querySelector(selector: string): PageElement | null;
  addEventListener(type: string, listener: (event: PageEvent) => void): void;
  focus(): void;
}

export interface PageEvent {
  /** By what a form was submitted. */
  readonly submitter?: PageElement | null;
  preventDefault(): void;
}

export interface Browser {
  document: {
    getElementById(id: string): PageElement | null;
    querySelectorAll(selector: string): Iterable<PageElement>;
    createElement(name: string): PageElement;
  };
  location: { pathname: string };
  /** Without a clipboard where the page came neither by https nor from localhost. */
  navigator: { clipboard?: { writeText(text: string): Promise<void> } };
}
