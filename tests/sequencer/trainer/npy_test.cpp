#include "sequencer/trainer/npy.h"

#include <gtest/gtest.h>

#include "tests/sequencer/trainer/trainer_files.h"

namespace tally::sequencer {
namespace {

using Shape = std::vector<std::uint64_t>;

TEST(Npy, writes_the_header_that_numpy_writes) {
  // The dictionary, 20 spaces of room for the one-digit first dimension to grow, padding to 64, a newline.
  const std::string matrix = encode_npy_header({.name = {}, .type = TensorType::kF32, .shape = {3, 4}});
  const std::string dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }";
  EXPECT_EQ(matrix, std::string("\x93NUMPY\x01\x00\x76\x00", 10) + dictionary +
                        std::string(128 - 10 - dictionary.size() - 1, ' ') + "\n");
  const std::string vector = encode_npy_header({.name = {}, .type = TensorType::kF64, .shape = {5}});
  EXPECT_TRUE(vector.substr(10).starts_with("{'descr': '<f8', 'fortran_order': False, 'shape': (5,), }"));
  EXPECT_EQ(vector.size(), 128U);
  const std::string scalar = encode_npy_header({.name = {}, .type = TensorType::kI32, .shape = {}});
  EXPECT_TRUE(scalar.substr(10).starts_with("{'descr': '<i4', 'fortran_order': False, 'shape': (), }"));
  EXPECT_EQ(scalar.size() % 64, 0U);
  const std::string half = encode_npy_header({.name = {}, .type = TensorType::kF16, .shape = {1, 2, 3, 4, 5, 6, 7}});
  EXPECT_TRUE(
      half.substr(10).starts_with("{'descr': '<f2', 'fortran_order': False, 'shape': (1, 2, 3, 4, 5, 6, 7), }"));
  EXPECT_EQ(half.size() % 64, 0U);
  EXPECT_EQ(half.back(), '\n');
}

struct Accepted {
  std::string file;
  TensorType type;
  Shape shape;
};

TEST(Npy, reads_every_version_type_and_rank) {
  const std::string six(6 * 4, '\1');
  const std::vector<Accepted> cases = {
      {npy_file(npy_dictionary("<f4", "(2, 3)"), six, 1), TensorType::kF32, {2, 3}},
      {npy_file(npy_dictionary("<f4", "(2, 3)"), six, 2), TensorType::kF32, {2, 3}},
      {npy_file(npy_dictionary("<f4", "(2, 3)"), six, 3), TensorType::kF32, {2, 3}},
      {npy_file(npy_dictionary("=f4", "(6,)"), six), TensorType::kF32, {6}},
      {npy_file(npy_dictionary("|f4", "(6,)"), six), TensorType::kF32, {6}},
      {npy_file(npy_dictionary("<f2", "(3, 4)"), six), TensorType::kF16, {3, 4}},
      {npy_file(npy_dictionary("<f8", "(3,)"), six), TensorType::kF64, {3}},
      {npy_file(npy_dictionary("<i4", "(1, 2, 1, 3, 1)"), six), TensorType::kI32, {1, 2, 1, 3, 1}},
      {npy_file(npy_dictionary("<f4", "()"), six.substr(20)), TensorType::kF32, {}},
      // Fortran order says nothing where at most one dimension is not 1.
      {npy_file(npy_dictionary("<f4", "(6,)", true), six), TensorType::kF32, {6}},
      {npy_file(npy_dictionary("<f4", "(1, 6, 1)", true), six), TensorType::kF32, {1, 6, 1}},
      {npy_file("{\"shape\":(2,3,),\"descr\":\"<f4\",\"fortran_order\":False}", six), TensorType::kF32, {2, 3}},
  };
  for (const Accepted& test : cases) {
    const auto contents = decode_npy(as_bytes_of(test.file));
    ASSERT_TRUE(contents.has_value()) << contents.error().message;
    ASSERT_EQ(contents->layout.tensors.size(), 1U);
    EXPECT_EQ(contents->layout.format, ModelFormat::kNpy);
    EXPECT_EQ(contents->layout.tensors[0].type, test.type);
    EXPECT_EQ(contents->layout.tensors[0].shape, test.shape);
    EXPECT_EQ(contents->offsets[0] % 64, 0U);
  }
}

struct Refused {
  std::string file;
  UpdateReason reason;
  std::string says;
};

TEST(Npy, refuses_what_it_cannot_read_and_says_how_to_fix_it) {
  const std::string four(4, '\0');
  const auto bad = [&](const std::string& dictionary) { return npy_file(dictionary, four); };
  const std::string shape = "'shape': (1,)";
  const std::vector<Refused> cases = {
      {"", UpdateReason::kNpyMagic, "not a .npy file"},
      {"\x93NUMPX", UpdateReason::kNpyMagic, "not a .npy file"},
      {"PK\x03\x04", UpdateReason::kNpyMagic, "np.save(path, archive[name])"},
      {"\x93NUMPY", UpdateReason::kTruncated, "ends in its .npy header"},
      {std::string("\x93NUMPY\1\0\x10", 9), UpdateReason::kTruncated, "ends in its .npy header"},
      {std::string("\x93NUMPY\1\0\x10\0{", 11), UpdateReason::kTruncated, "ends in its .npy header"},
      {std::string("\x93NUMPY\4\0\0\0\0\0", 12), UpdateReason::kNpyVersion, "version 4.0"},
      {std::string("\x93NUMPY\1\1\0\0\0\0", 12), UpdateReason::kNpyVersion, "version 1.1"},
      {std::string("\x93NUMPY\2\0\0\0\1\0", 12), UpdateReason::kNpyHeaderLength, "65536"},
      {std::string("\x93NUMPY\3\0\xff\xff\xff\xff", 12), UpdateReason::kNpyHeaderLength, "4294967295"},
      {bad(""), UpdateReason::kNpyHeaderSyntax, "dictionary is expected"},
      {bad("{'descr': '<f4', 'fortran_order': False}"), UpdateReason::kNpyHeaderSyntax, "are needed"},
      {bad("{'descr': '<f4', 'fortran_order': False, 'shape': (1)}"), UpdateReason::kNpyHeaderSyntax, "needs a comma"},
      {bad("{'descr': '<f4', 'fortran_order': False, 'shape': (01,)}"), UpdateReason::kNpyHeaderSyntax, "dimension"},
      {bad("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}"), UpdateReason::kNpyHeaderSyntax, "dimension"},
      {bad("{'descr': '<f4', 'fortran_order': False, 'shape': (1 1)}"), UpdateReason::kNpyHeaderSyntax, "comma"},
      {bad("{'descr': '<f4', 'fortran_order': False, 'shape': [1]}"), UpdateReason::kNpyHeaderSyntax, "tuple"},
      {bad("{'descr': '<f4', 'fortran_order': 0, " + shape + "}"), UpdateReason::kNpyHeaderSyntax, "True or False"},
      {bad("{'descr': 4, 'fortran_order': False, " + shape + "}"), UpdateReason::kNpyHeaderSyntax, "string"},
      {bad("{'descr': '<f4' 'fortran_order': False, " + shape + "}"), UpdateReason::kNpyHeaderSyntax, "comma"},
      {bad("{'descr': '<f4', 'fortran_order': False, 'x': 1, " + shape + "}"), UpdateReason::kNpyHeaderSyntax, "'x'"},
      {bad("{'descr': '<f4', 'fortran_order': False, " + shape + "} 1"), UpdateReason::kNpyHeaderSyntax, "follows"},
      {bad("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, " + shape + "}"), UpdateReason::kDuplicateKey,
       "'descr'"},
      {bad("{'descr': '<f4', 'fortran_order': False, " + shape + ", " + shape + "}"), UpdateReason::kDuplicateKey,
       "'shape'"},
      {bad("{'descr': '<f4', 'fortran_order': False, 'fortran_order': False, " + shape + "}"),
       UpdateReason::kDuplicateKey, "'fortran_order'"},
      {bad(npy_dictionary("<i8", "(1,)")), UpdateReason::kUnsupportedType, "np.save(path, a.astype(np.float32))"},
      {bad(npy_dictionary("|V2", "(1,)")), UpdateReason::kUnsupportedType, "np.save(path, a.astype(np.float32))"},
      {bad(npy_dictionary(">i8", "(1,)")), UpdateReason::kUnsupportedType, "'>i8'"},
      {bad(npy_dictionary("", "(1,)")), UpdateReason::kUnsupportedType, "''"},
      {bad("{'descr': [('w', '<f4')], 'fortran_order': False, " + shape + "}"), UpdateReason::kUnsupportedType,
       "fields"},
      {bad(npy_dictionary("|O", "(1,)")), UpdateReason::kNpyPickled, "np.asarray(a, np.float32)"},
      {bad(npy_dictionary(">f4", "(1,)")), UpdateReason::kNpyBigEndian, "np.save(path, a.astype('<f4'))"},
      {npy_file(npy_dictionary("<f4", "(2, 3)", true), std::string(24, '\0')), UpdateReason::kNpyFortranOrder,
       "np.save(path, np.ascontiguousarray(a))"},
      {bad(npy_dictionary("<f4", "(4294967296, 4294967296)")), UpdateReason::kShapeTooLarge, "limits"},
      {bad(npy_dictionary("<f4", "(18446744073709551616,)")), UpdateReason::kShapeTooLarge, "limits"},
      {bad(npy_dictionary("<f4", "(0,)")), UpdateReason::kEmpty, "no elements"},
      {npy_file(npy_dictionary("<f4", "(1,)"), four.substr(1)), UpdateReason::kTruncated, "4 bytes of data"},
      {npy_file(npy_dictionary("<f4", "(1,)"), four + "x"), UpdateReason::kTrailingBytes, "the file has 5"},
  };
  for (const Refused& test : cases) {
    const auto contents = decode_npy(as_bytes_of(test.file));
    ASSERT_FALSE(contents.has_value()) << test.says;
    EXPECT_EQ(contents.error().reason, test.reason) << contents.error().message;
    EXPECT_NE(contents.error().message.find(test.says), std::string::npos) << contents.error().message;
  }
  std::string dims;
  for (int i = 0; i < 65; ++i) dims += "1, ";
  const auto deep = decode_npy(as_bytes_of(bad(npy_dictionary("<f4", "(" + dims + ")"))));
  ASSERT_FALSE(deep.has_value());
  EXPECT_EQ(deep.error().reason, UpdateReason::kShapeTooLarge);
}

// Every proper prefix of a good file is refused, whatever it cuts.
TEST(Npy, refuses_every_truncation) {
  const std::string file = npy_file(npy_dictionary("<f4", "(2, 3)"), std::string(24, '\0'));
  for (std::size_t size = 0; size < file.size(); ++size) {
    const std::string part = file.substr(0, size);
    ASSERT_FALSE(decode_npy(as_bytes_of(part)).has_value()) << size;
  }
}

TEST(Npy, reads_back_its_own_headers) {
  for (const Shape& shape : {Shape{}, Shape{1}, Shape{7}, Shape{2, 3}, Shape{1, 2, 3, 4}, Shape(64, 1)}) {
    for (const TensorType type : {TensorType::kF16, TensorType::kF32, TensorType::kF64, TensorType::kI32}) {
      const std::string file = encode_npy_header({.name = {}, .type = type, .shape = shape}) +
                               std::string(*element_count(shape) * element_bytes(type), '\0');
      const auto contents = decode_npy(as_bytes_of(file));
      ASSERT_TRUE(contents.has_value()) << contents.error().message;
      EXPECT_EQ(contents->layout.tensors[0].shape, shape);
      EXPECT_EQ(contents->layout.tensors[0].type, type);
    }
  }
}

}  // namespace
}  // namespace tally::sequencer
