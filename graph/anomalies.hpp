#pragma once

#include <backdrop/core/op.hpp>
#include <backdrop/graph/anomaly.hpp>
#include <backdrop/graph/program.hpp>
#include <cstddef>
#include <optional>

/// What a run that looks for anomalies asks.
namespace backdrop {

/// The first element that is what `anomalies` looks for.
std::optional<std::size_t> first_anomaly(const Array& y, Anomalies anomalies);

/// All but the operands.
Anomaly describe_anomaly(const Call& call, const Array& y, std::size_t element, const RunOptions& options);

/// `x` holds the operands as the kernel found them.
void describe_operands(Anomaly& anomaly, const Call& call, const Array* x);

}  // namespace backdrop
