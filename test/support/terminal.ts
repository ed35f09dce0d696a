/** Reads what a program wrote to a terminal and keeps what stands on its screen at the end, scrolled lines included. */
export class TerminalScreen {
  private readonly rows: { char: string; style: string }[][] = [[]];
  private row = 0;
  private column = 0;
  private readonly styles = new Set<number>();

  constructor(private readonly columns: number) {}

  write(output: string): void {
    // ECMA-48: control sequences, other escapes, control characters, text.
    for (const [token, parameters = '', final] of output.matchAll(/\u001b\[([\d;?]*)([@-~])|\u001b.|[^]/gu)) {
      if (final !== undefined) this.control(final, parameters);
      else if (token === '\n') this.moveTo(this.row + 1, this.column);
      else if (token === '\r') this.column = 0;
      else if (token >= ' ') this.put(token);
    }
  }

  get text(): string {
    return this.rows
      .map((cells) =>
        cells
          .map(({ char }) => char)
          .join('')
          .trimEnd(),
      )
      .join('\n')
      .trimEnd();
  }

  /** One `span` for every run of equal styles; the classes are `s` and the number of the style (1 bold, 2 dim, 32 green, …). */
  get html(): string {
    const lines = this.rows.map((cells) =>
      cells.reduce(
        ({ html, style }, cell) => ({
          html: `${html}${cell.style === style ? '' : `</span><span class="${cell.style}">`}${escapeHtml(cell.char)}`,
          style: cell.style,
        }),
        { html: '<span>', style: '' },
      ),
    );
    return lines
      .map(({ html }) => `${html}</span>`)
      .join('\n')
      .trimEnd();
  }

  private put(char: string): void {
    if (this.column === this.columns) this.moveTo(this.row + 1, 0);
    const cells = this.rows[this.row] ?? [];
    while (cells.length < this.column) cells.push({ char: ' ', style: '' });
    cells[this.column] = { char, style: [...this.styles].map((style) => `s${style}`).join(' ') };
    this.column += 1;
  }

  private moveTo(row: number, column: number): void {
    this.row = Math.max(0, row);
    this.column = Math.max(0, column);
    while (this.rows.length <= this.row) this.rows.push([]);
  }

  private control(final: string, parameters: string): void {
    const count = Number(parameters.split(';')[0]) || 0;
    if (final === 'A') this.moveTo(this.row - Math.max(1, count), this.column);
    else if (final === 'B') this.moveTo(this.row + Math.max(1, count), this.column);
    else if (final === 'G') this.moveTo(this.row, Math.max(1, count) - 1);
    else if (final === 'K') this.erase(count);
    else if (final === 'J') {
      this.erase(0);
      this.rows.length = this.row + 1;
    } else if (final === 'm') for (const code of parameters.split(';')) this.style(Number(code));
    // Others only hide or show the cursor.
  }

  private erase(what: number): void {
    this.rows[this.row] = what === 0 ? (this.rows[this.row] ?? []).slice(0, this.column) : [];
  }

  private style(code: number): void {
    if (code === 0) this.styles.clear();
    else if (code === 22) [1, 2].forEach((style) => this.styles.delete(style));
    else if (code === 39) [...this.styles].filter((style) => style >= 30).forEach((style) => this.styles.delete(style));
    else this.styles.add(code);
  }
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>]/g, (char) => `&#${char.charCodeAt(0)};`);
}
