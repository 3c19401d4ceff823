// Wilson's interval of a rate, 95 %.

const Z = 1.959963984540054;

export interface Rate {
  value: number;
  low: number;
  high: number;
}

export function wilson(failures: number, shots: number): Rate {
  if (shots === 0) return { value: NaN, low: 0, high: 1 };
  const value = failures / shots;
  const spread = Z ** 2 / shots;
  const middle = (value + spread / 2) / (1 + spread);
  const half = (Z * Math.sqrt((value * (1 - value)) / shots + spread / shots / 4)) / (1 + spread);
  return { value, low: failures ? middle - half : 0, high: failures < shots ? middle + half : 1 };
}
