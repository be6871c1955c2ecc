// SPDX-License-Identifier: MIT
//
// What can be done with one chart: keep it as a picture or as numbers, and see it large.
import { useRef } from 'react';
import { chartCsv, chartJson, fileName, recordsAddress, type ChartContent } from './chart_file';
import { chartImage } from './chart_image';
import { colourNow } from './colours';
import { saveFile } from './save';

interface ChartMenuProps {
  readonly metric: string;
  /** The run, when the chart shows but one. */
  readonly run: string | undefined;
  /** What the chart shows at this moment, and the canvas it is on; null while there is none. */
  readonly look: () => { content: ChartContent; canvas: HTMLCanvasElement } | null;
  readonly onFullScreen: () => void;
  readonly onTable: () => void;
}

async function savePicture({ look }: ChartMenuProps): Promise<void> {
  const shown = look();
  if (!shown) return;
  const { content, canvas } = shown;
  const ink = { paper: colourNow('--panel'), text: colourNow('--ink') };
  const picture = await chartImage(canvas, content.metric, content.lines, ink);
  if (picture) saveFile(fileName(content, 'png'), picture);
}

function saveText({ look }: ChartMenuProps, ending: 'csv' | 'json'): void {
  const content = look()?.content;
  if (!content) return;
  const [text, type] =
    ending === 'csv' ? [chartCsv(content), 'text/csv'] : [chartJson(content), 'application/json'];
  saveFile(fileName(content, ending), new Blob([text], { type }));
}

export function ChartMenu(props: ChartMenuProps) {
  const { metric, run, onFullScreen, onTable } = props;
  const menu = useRef<HTMLDetailsElement>(null);
  const close = () => {
    if (menu.current) menu.current.open = false;
  };
  const items: readonly (readonly [string, () => void])[] = [
    ['Picture (PNG)', () => void savePicture(props)],
    [
      'Points in view (CSV)',
      () => {
        saveText(props, 'csv');
      },
    ],
    [
      'Points in view (JSON)',
      () => {
        saveText(props, 'json');
      },
    ],
    ['Table of values', onTable],
    ['Full screen (f)', onFullScreen],
  ];
  return (
    <details
      ref={menu}
      className="menu small"
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) close();
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || !menu.current?.open) return;
        close();
        menu.current.querySelector('summary')?.focus();
      }}
    >
      <summary
        aria-label={`Table, files and full screen of ${metric}`}
        title="Table, files, full screen"
      >
        ⋯
      </summary>
      <div className="menu-items">
        {items.map(([what, act]) => (
          <button
            key={what}
            onClick={() => {
              close();
              act();
            }}
          >
            {what}
          </button>
        ))}
        {run !== undefined && (
          <a href={recordsAddress(run, metric)} download={`${run}.csv`} onClick={close}>
            Every record (CSV)
          </a>
        )}
      </div>
    </details>
  );
}
