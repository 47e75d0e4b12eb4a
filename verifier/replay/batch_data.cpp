#include "verifier/replay/batch_data.h"

#include "chain_adapter/data/batch_tables.h"
#include "fraud_proof/commitments/batch_shape.h"
#include "verifier/replay/readable.h"

namespace tally::verifier {

BatchData find_data(const Description& batch, const chain::BatchPaths& paths) {
  const math::Program& program = batch.program();
  BatchData data;
  const std::uint64_t record_bytes = batch.records() * proof::record_shape(program).record_bytes();
  data.records = where_readable([&] { return chain::MappedFile::open(paths.file(chain::kRecordsFile), record_bytes); });
  data.rows = where_readable(
      [&] { return chain::RowFiles::open(paths, chain::row_shapes(batch.compiled, batch.values), batch.records()); });
  for (std::size_t id = 0; id < program.objects.size(); ++id) {
    const math::Object& object = program.objects[id];
    if (!proof::is_table(object.kind)) continue;
    const std::string& name = batch.compiled.names.objects[id];
    const std::uint64_t bytes = proof::table_shape(object, batch.values).data_bytes();
    auto file = where_readable([&] {
      return chain::MappedFile::open(object.kind == math::ObjectKind::kState ? paths.state(name) : paths.table(name),
                                     bytes);
    });
    if (file) data.tables.emplace(static_cast<math::ObjectId>(id), *std::move(file));
  }
  return data;
}

}  // namespace tally::verifier
