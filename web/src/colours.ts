// Colours of numbers that the colour-blind read as well as others: from dark to light, and from one side to the other.

const SEQUENTIAL = ["#00204c", "#213d6b", "#555b6c", "#7b7a77", "#a59c74", "#d3c064", "#ffe945"]; // cividis
const DIVERGING = ["#0a4d8c", "#4b8fc4", "#b9d5ea", "#f5f5f2", "#f6cf9f", "#e08a2e", "#a34a00"];

export type Scale = "sequential" | "diverging";

/** Of a share from 0 to 1. */
export function colour(share: number, scale: Scale): string {
  const stops = scale === "sequential" ? SEQUENTIAL : DIVERGING;
  const at = Math.min(1, Math.max(0, share)) * (stops.length - 1);
  const low = Math.min(Math.floor(at), stops.length - 2);
  const [from, to] = [stops[low], stops[low + 1]].map(channels);
  return `rgb(${from.map((channel, i) => Math.round(channel + (at - low) * (to[i] - channel))).join(" ")})`;
}

export function gradient(scale: Scale): string {
  return `linear-gradient(to right, ${(scale === "sequential" ? SEQUENTIAL : DIVERGING).join(", ")})`;
}

function channels(hex: string): number[] {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}
