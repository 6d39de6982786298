#pragma once
// The states that rows can be in, with their names in the database. What they mean is told in the schema.

#include <array>
#include <string_view>
#include <utility>

#include "common/messages/describe.hpp"

namespace postroom::store {

enum class ConnectionState { unknown, ok, failing };
enum class Circuit { closed, open, probing };
enum class ArrivalState { opened, standby, deleted, received, reply, duplicate, bounce, own };
enum class DeliveryState { waiting, dispatched, claimed, standby, done, cancelled };
enum class DeliveryStep { send, resolve };
enum class ExternalState { linked, duplicate };
enum class RunState { running, ended };
enum class LeaseState { idle, dispatched, held };
enum class MailStage { waiting, parsing, decided };
enum class ChoreState { waiting, done, failed };

}  // namespace postroom::store

namespace postroom::messages {

template <>
inline constexpr std::array enum_names<store::ConnectionState>{std::pair{store::ConnectionState::unknown, std::string_view{"unknown"}},
                                                               std::pair{store::ConnectionState::ok, std::string_view{"ok"}},
                                                               std::pair{store::ConnectionState::failing, std::string_view{"failing"}}};
template <>
inline constexpr std::array enum_names<store::Circuit>{std::pair{store::Circuit::closed, std::string_view{"closed"}},
                                                       std::pair{store::Circuit::open, std::string_view{"open"}},
                                                       std::pair{store::Circuit::probing, std::string_view{"probing"}}};
template <>
inline constexpr std::array enum_names<store::ArrivalState>{std::pair{store::ArrivalState::opened, std::string_view{"opened"}},
                                                            std::pair{store::ArrivalState::standby, std::string_view{"standby"}},
                                                            std::pair{store::ArrivalState::deleted, std::string_view{"deleted"}},
                                                            std::pair{store::ArrivalState::received, std::string_view{"received"}},
                                                            std::pair{store::ArrivalState::reply, std::string_view{"reply"}},
                                                            std::pair{store::ArrivalState::duplicate, std::string_view{"duplicate"}},
                                                            std::pair{store::ArrivalState::bounce, std::string_view{"bounce"}},
                                                            std::pair{store::ArrivalState::own, std::string_view{"own"}}};
template <>
inline constexpr std::array enum_names<store::LeaseState>{std::pair{store::LeaseState::idle, std::string_view{"idle"}},
                                                          std::pair{store::LeaseState::dispatched, std::string_view{"dispatched"}},
                                                          std::pair{store::LeaseState::held, std::string_view{"held"}}};
template <>
inline constexpr std::array enum_names<store::MailStage>{std::pair{store::MailStage::waiting, std::string_view{"waiting"}},
                                                         std::pair{store::MailStage::parsing, std::string_view{"parsing"}},
                                                         std::pair{store::MailStage::decided, std::string_view{"decided"}}};
template <>
inline constexpr std::array enum_names<store::ChoreState>{std::pair{store::ChoreState::waiting, std::string_view{"waiting"}},
                                                          std::pair{store::ChoreState::done, std::string_view{"done"}},
                                                          std::pair{store::ChoreState::failed, std::string_view{"failed"}}};
template <>
inline constexpr std::array enum_names<store::DeliveryState>{
    std::pair{store::DeliveryState::waiting, std::string_view{"waiting"}}, std::pair{store::DeliveryState::dispatched, std::string_view{"dispatched"}},
    std::pair{store::DeliveryState::claimed, std::string_view{"claimed"}}, std::pair{store::DeliveryState::standby, std::string_view{"standby"}},
    std::pair{store::DeliveryState::done, std::string_view{"done"}},       std::pair{store::DeliveryState::cancelled, std::string_view{"cancelled"}}};
template <>
inline constexpr std::array enum_names<store::DeliveryStep>{std::pair{store::DeliveryStep::send, std::string_view{"send"}},
                                                            std::pair{store::DeliveryStep::resolve, std::string_view{"resolve"}}};
template <>
inline constexpr std::array enum_names<store::ExternalState>{std::pair{store::ExternalState::linked, std::string_view{"linked"}},
                                                             std::pair{store::ExternalState::duplicate, std::string_view{"duplicate"}}};
template <>
inline constexpr std::array enum_names<store::RunState>{std::pair{store::RunState::running, std::string_view{"running"}},
                                                        std::pair{store::RunState::ended, std::string_view{"ended"}}};

}  // namespace postroom::messages
