/** Gauges whose series can end: the meter alone would show the last value of a removed store forever. */
import type { MetricMeter, MetricTags } from '@temporalio/common';
import { STORE_GAUGES, type StoreGauge } from '../domain/metrics.ts';

export interface Figure {
  gauge: StoreGauge;
  labels: { cluster: string; store?: string; state?: string; operation?: string };
  value: number;
}

export interface Gauges {
  /** Shows the figures. Earlier figures that are missing now and for which `isGone` is true lose their value. */
  show: (figures: Figure[], isGone: (labels: Figure['labels']) => boolean) => void;
}

export function createGauges(meter: MetricMeter): Gauges {
  const gauges = new Map(
    Object.entries(STORE_GAUGES).map(([name, help]) => [name, meter.createGauge(name, 'float', '', help)]),
  );
  const shown = new Map<string, Figure>();

  function set({ gauge, labels, value }: Figure): void {
    gauges.get(gauge)?.set(value, labels satisfies MetricTags);
  }

  return {
    show(figures, isGone) {
      const now = new Set<string>();
      for (const figure of figures) {
        const id = `${figure.gauge} ${JSON.stringify(figure.labels)}`;
        now.add(id);
        shown.set(id, figure);
        set(figure);
      }
      for (const [id, figure] of shown) {
        if (now.has(id) || !isGone(figure.labels)) continue;
        set({ ...figure, value: Number.NaN });
        shown.delete(id);
      }
    },
  };
}
