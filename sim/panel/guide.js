// What a newcomer does next, in a sentence. Knows the state of a charge point and the names of the buttons.

/** The next step towards a charge, or from it. */
export function nextStep(state) {
  const told = state.station?.connectors ?? [];
  const evse = state.evses.find((one) => one.plugged) ?? state.evses[0];
  const mine = told.find((one) => one.evse === evse.id);
  if (state.power !== "on") return "The charger has no power: press «power on».";
  if (!state.station) return "The firmware starts; a moment.";
  if (evse.faults.length) return `A fault is laid on (${evse.faults.join(", ")}): press it again under «faults» to take it away.`;
  if (!evse.plugged) return "First press «plug in»: a car comes to the charger.";
  if (!evse.ev) return "The cable has no car: press «plug in at the car», or «unplug».";
  if (mine?.status === "Charging") return "The car charges. Press «swipe» again, or «unplug», to end.";
  if (mine?.status === "Preparing" && !mine.transaction) return "Now press «swipe»: the card is read, and the charge begins.";
  if (mine?.status === "Finishing") return "The charge has ended: press «unplug».";
  return "";
}
