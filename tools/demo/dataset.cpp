#include "demo/dataset.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <backdrop/core/error.hpp>
#include <vector>

#include "demo/idx.hpp"

namespace backdrop::demo {

namespace {

constexpr std::int64_t kClasses = 10;
constexpr std::array kFiles = {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
                               "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"};

Examples read_examples(const std::filesystem::path& image_file, const std::filesystem::path& label_file) {
  const Idx images = read_idx(image_file, 3);
  const Idx labels = read_idx(label_file, 1);
  const std::int64_t count = labels.extents[0];
  if (images.extents[0] != count) {
    throw ValueError(fmt::format("{} has {} images, but {} has {} labels", image_file.string(),
                                 images.extents[0], label_file.string(), count));
  }
  const auto wrong = std::ranges::find_if(labels.bytes, [](std::uint8_t label) { return label >= kClasses; });
  if (wrong != labels.bytes.end()) {
    throw ValueError(fmt::format("{}: label {} is not below {}", label_file.string(), *wrong, kClasses));
  }
  Examples examples{Tensor::uninitialized(Shape{count, images.extents[1] * images.extents[2]}, DType::f32),
                    Tensor::uninitialized(Shape{count}, DType::i64)};
  std::ranges::transform(images.bytes, examples.images.mutable_data<float>().begin(),
                         [](std::uint8_t pixel) { return static_cast<float>(pixel) / 255.0F; });
  std::ranges::copy(labels.bytes, examples.labels.mutable_data<std::int64_t>().begin());
  return examples;
}

}  // namespace

Examples Examples::at(std::span<const std::int64_t> places) const {
  const auto n = static_cast<std::int64_t>(places.size());
  const auto width = static_cast<std::size_t>(features());
  Examples chosen{Tensor::uninitialized(Shape{n, features()}, DType::f32),
                  Tensor::uninitialized(Shape{n}, DType::i64)};
  auto pixel = chosen.images.mutable_data<float>().begin();
  auto label = chosen.labels.mutable_data<std::int64_t>().begin();
  for (const std::int64_t place : places) {
    const auto k = static_cast<std::size_t>(place);
    pixel = std::ranges::copy(images.data<float>().subspan(k * width, width), pixel).out;
    *label++ = labels.data<std::int64_t>()[k];
  }
  return chosen;
}

Examples first(const Examples& examples, std::int64_t n) {
  const Tensor places = Tensor::arange(n);
  return examples.at(places.data<std::int64_t>());
}

std::optional<Dataset> load_fashion_mnist(const std::filesystem::path& directory) {
  std::array<std::filesystem::path, kFiles.size()> paths;
  std::vector<std::string> missing;
  for (std::size_t k = 0; k < kFiles.size(); ++k) {
    paths[k] = directory / kFiles[k];
    if (!std::filesystem::exists(paths[k])) missing.emplace_back(kFiles[k]);
  }
  if (missing.size() == kFiles.size()) return std::nullopt;
  if (!missing.empty()) {
    throw ValueError(fmt::format("{}: {} is missing, though others of the four files are there",
                                 directory.string(), missing.front()));
  }
  Dataset dataset{"Fashion-MNIST", kClasses, read_examples(paths[0], paths[1]),
                  read_examples(paths[2], paths[3])};
  if (dataset.train.features() != dataset.test.features()) {
    throw ValueError(fmt::format("{}: training images have {} pixels, test images {}", directory.string(),
                                 dataset.train.features(), dataset.test.features()));
  }
  return dataset;
}

}  // namespace backdrop::demo
