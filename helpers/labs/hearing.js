// A widget that hears nothing more: anywidget gives up on one whose module took longer than two seconds to come, as on
// a page that is busy with Run All, and drops all that Python tells it from then on.

// Let such a model hear again, by the ears of its base class, and wait for what it has missed.
export async function hearAgain(model) {
  try {
    await model._handle_comm_msg({ content: { data: { method: "custom", content: {} } }, buffers: [] });
  } catch {
    const base = Object.getPrototypeOf(Object.getPrototypeOf(model));
    model.comm.on_msg((message) => base._handle_comm_msg.call(model, message));
    const told = new Promise((done) => model.once("change", done));
    model.comm.send({ method: "request_state" });
    await told;
  }
}
